import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type Machine,
  MachineStream,
  MORE,
} from "../../lib/streams/machine_stream.ts";

/** Gives each number of each chunk; counts what it was asked for. */
class Numbers implements Machine<number[], number> {
  pulled = 0;
  #waiting: number[] = [];
  #ended = false;

  push(chunk: number[]): void {
    this.#waiting.push(...chunk);
  }

  end(): void {
    this.#ended = true;
    this.#waiting.push(-1);
  }

  pull(): number | typeof MORE {
    const next = this.#waiting.shift();
    if (next === undefined) return MORE;
    this.pulled++;
    if (next === 13) throw new RangeError("thirteen");
    return next;
  }

  get ended(): boolean {
    return this.#ended;
  }
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("MachineStream gives all results, those of the end too", async () => {
  const stream = new MachineStream(new Numbers());
  const results = ReadableStream.from([[1, 2], [], [3]]).pipeThrough(stream);
  assertEquals(await Array.fromAsync(results), [1, 2, 3, -1]);
});

Deno.test("MachineStream makes a result when it is asked for, not before", async () => {
  const machine = new Numbers();
  const { readable, writable } = new MachineStream(machine);
  const writer = writable.getWriter();
  let written = false;
  const writing = writer.write(Array.from({ length: 1000 }, (_, i) => i + 100))
    .then(() => written = true);
  await later();
  assertEquals(machine.pulled, 0);
  const reader = readable.getReader();
  for (let i = 0; i < 5; i++) {
    assertEquals((await reader.read()).value, i + 100);
  }
  await later();
  assertEquals(machine.pulled, 5);
  assertEquals(written, false);
  for (let i = 5; i < 1000; i++) await reader.read();
  const rest = reader.read();
  await writing;
  assertEquals(written, true);
  const closing = writer.close();
  assertEquals((await rest).value, -1);
  assertEquals((await reader.read()).done, true);
  await closing;
});

Deno.test("MachineStream hands an error to both ends, the same instance", async () => {
  const { readable, writable } = new MachineStream(new Numbers());
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const writing = writer.write([1, 13, 2]);
  assertEquals((await reader.read()).value, 1);
  const seen = await assertRejects(() => reader.read(), RangeError);
  const told = await assertRejects(() => writing, RangeError);
  assertStrictEquals(seen, told);
  await assertRejects(() => writer.closed, RangeError);
});

Deno.test("MachineStream lets the writer know when the reader goes", async () => {
  let cancelled: unknown;
  const source = new ReadableStream<number[]>({
    pull(controller): void {
      controller.enqueue([1, 2, 3]);
    },
    cancel(reason): void {
      cancelled = reason;
    },
  });
  const readable = source.pipeThrough(new MachineStream(new Numbers()));
  const reader = readable.getReader();
  await reader.read();
  const reason = new Error("enough");
  await reader.cancel(reason);
  await later();
  assertStrictEquals(cancelled, reason);
});

Deno.test("MachineStream lets the reader know when the writer gives up", async () => {
  const { readable, writable } = new MachineStream(new Numbers());
  const reader = readable.getReader();
  const reading = reader.read();
  await later();
  const reason = new Error("no more");
  await writable.abort(reason);
  assertStrictEquals(await assertRejects(() => reading, Error), reason);
});

Deno.test("MachineStream does not end a source that failed as if it were whole", async () => {
  const machine = new Numbers();
  const source = new ReadableStream<number[]>({
    pull(controller): void {
      controller.error(new TypeError("cut off"));
    },
  });
  const readable = source.pipeThrough(new MachineStream(machine));
  await assertRejects(() => Array.fromAsync(readable), TypeError);
  assertEquals(machine.ended, false);
});
