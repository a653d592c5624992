/**
 * Python's constants that JavaScript has no word for.
 *
 * @module
 */

/** A constant of Python's, known by its name. */
export class Constant {
  /** The name in Python. */
  readonly name: string;

  /**
   * Names a constant.
   *
   * @param name The name in Python.
   */
  constructor(name: string) {
    this.name = name;
    Object.freeze(this);
  }

  /**
   * The name.
   *
   * @returns The name in Python.
   */
  toString(): string {
    return this.name;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The name in Python.
   */
  toJSON(): string {
    return this.name;
  }
}

/** Python's `...`. */
export const Ellipsis: Constant = new Constant("Ellipsis");

/** Python's `NotImplemented`. */
export const NotImplemented: Constant = new Constant("NotImplemented");
