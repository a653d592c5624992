/**
 * Streams from arrays and back, in every runtime: `ReadableStream.from` and
 * `Array.fromAsync` are younger than some.
 *
 * @module
 */

/** A stream of items, one for each time it is asked. */
export function streamOf<T>(items: readonly T[]): ReadableStream<T> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < items.length) controller.enqueue(items[at++]!);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** All that a stream gives. */
export async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const items: T[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return items;
    items.push(value);
  }
}
