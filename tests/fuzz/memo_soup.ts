/**
 * Lists, dicts and tuples that are filled early, late and in parts, stored in
 * few memo slots and fetched again: nearly always right, though nobody writes
 * such pickles.
 */

import type { Random } from "./random.ts";

/** What lies on the stack. */
type Item = "atom" | "list" | "dict" | "tuple" | "mark";

const SLOTS = 3;

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** Writes opcodes, and knows what they leave. */
class Writer {
  readonly bytes: number[] = [];
  readonly #stack: Item[] = [];
  readonly #memo: (Item | undefined)[] = [];

  /** How much lies above the last mark. */
  get #above(): number {
    return this.#stack.length - 1 - this.#stack.lastIndexOf("mark");
  }

  get #marked(): boolean {
    return this.#stack.includes("mark");
  }

  #push(item: Item, opcodes: string): void {
    this.#stack.push(item);
    this.bytes.push(...bytesOf(opcodes));
  }

  /** Whether there is something to store. */
  store(slot: number): boolean {
    if (this.#above === 0) return false;
    this.#memo[slot] = this.#stack.at(-1);
    this.bytes.push(0x71, slot);
    return true;
  }

  #batch(): void {
    const mark = this.#stack.lastIndexOf("mark");
    const target = this.#stack[mark - 1];
    const items = this.#stack.slice(mark + 1);
    if (
      target === "dict" && items.length % 2 === 0 &&
      items.every((item, i) => i % 2 === 1 || item === "atom")
    ) this.bytes.push(0x75);
    else if (target === "list") this.bytes.push(0x65);
    else return this.#tuple();
    this.#stack.length = mark;
  }

  #one(): void {
    const [target, key] = [this.#stack.at(-3), this.#stack.at(-2)];
    if (this.#above >= 2 && key === "list") {
      this.bytes.push(0x61);
      this.#stack.length -= 1;
    } else if (this.#above >= 3 && target === "dict" && key === "atom") {
      this.bytes.push(0x73);
      this.#stack.length -= 2;
    }
  }

  #tuple(): void {
    if (!this.#marked) return;
    this.#stack.length = this.#stack.lastIndexOf("mark");
    this.#push("tuple", "t");
  }

  #small(size: number): void {
    if (this.#above < size) return;
    this.#stack.length -= size;
    this.#push("tuple", String.fromCharCode(0x84 + size));
  }

  /** One more opcode or a few, if they fit. */
  step(random: Random): void {
    const slot = random.below(SLOTS);
    switch (random.below(14)) {
      case 0:
        return this.#push("list", "]");
      case 1:
        return this.#push("dict", "}");
      case 2:
        return this.#push("mark", "(");
      case 3:
        return this.#push("atom", random.pick(["K\x01", "N", "X\x01\0\0\0x"]));
      case 4:
        this.#push("atom", `X\x01\0\0\0${random.pick(["y", "z"])}`);
        this.store(slot);
        return;
      case 5: {
        const [item, opcode] = random.pick(
          [["list", "]"], ["dict", "}"]] as const,
        );
        this.#push(item, opcode);
        this.store(slot);
        return this.#push("mark", "(");
      }
      case 6:
        this.store(slot);
        return;
      case 7:
      case 8: {
        const item = this.#memo[slot];
        if (item !== undefined) {
          this.#push(item, `h${String.fromCharCode(slot)}`);
        }
        return;
      }
      case 9:
      case 10:
        return this.#one();
      case 11:
        if (this.#marked) this.#batch();
        return;
      case 12:
        return random.once(3)
          ? this.#tuple()
          : this.#small(1 + random.below(3));
      case 13:
        if (this.#above > 0) {
          this.#stack.pop();
          this.bytes.push(0x30);
        }
    }
  }

  /** Closes all that is open. */
  finish(): void {
    while (this.#marked) this.#tuple();
  }
}

/** A pickle of containers that are stored and fetched. */
export function memoSoup(random: Random): Uint8Array {
  const writer = new Writer();
  for (let i = 6 + random.below(25); i > 0; i--) writer.step(random);
  writer.finish();
  const begin = random.once(2) ? [0x80, 2 + random.below(4)] : [];
  // All that is left becomes one tuple.
  return Uint8Array.from([...begin, 0x28, ...writer.bytes, 0x74, 0x2e]);
}
