/**
 * How values look in a console.
 *
 * @module
 */

const showing = new Set<unknown>();

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
  function guarded(value: T, inspect: (value: unknown) => string): string {
    // The console finds a cycle by identity, and `show` may give it a copy.
    if (showing.has(value)) return "[Circular]";
    showing.add(value);
    try {
      return show(value, inspect);
    } finally {
      showing.delete(value);
    }
  }
  Object.defineProperty(prototype, Symbol.for("Deno.customInspect"), {
    value: function (this: T, inspect: Inspect, options: unknown): string {
      return guarded(this, (value) => inspect(value, options));
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
      return guarded(this, (value) => inspect(value, options));
    },
    configurable: true,
    writable: true,
  });
}
