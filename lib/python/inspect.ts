/**
 * How values look in a console.
 *
 * @module
 */

type Inspect = (value: unknown, options?: unknown) => string;

/**
 * Says what Deno's and Node's consoles show for the instances of a class.
 *
 * @param prototype The class's prototype.
 * @param show Gives the text, by the console's own `inspect` where it wants.
 */
export function setInspect<T>(
  prototype: T & object,
  show: (value: T, inspect: (value: unknown) => string) => string,
): void {
  Object.defineProperty(prototype, Symbol.for("Deno.customInspect"), {
    value: function (this: T, inspect: Inspect, options: unknown): string {
      return show(this, (value) => inspect(value, options));
    },
    configurable: true,
    writable: true,
  });
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value: function (
      this: T,
      _depth: number,
      options: unknown,
      inspect: Inspect,
    ): string {
      return show(this, (value) => inspect(value, options));
    },
    configurable: true,
    writable: true,
  });
}
