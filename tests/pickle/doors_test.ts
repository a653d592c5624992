import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { load, loads } from "../../lib/pickle/load.ts";
import { PickleDecoderStream } from "../../lib/pickle/decoder_stream.ts";
import { UnpicklingError } from "../../lib/pickle/errors.ts";
import { Unpickler } from "../../lib/pickle/unpickler.ts";
import { MORE } from "../../lib/streams/machine_stream.ts";
import { chunks } from "../support/chunks.ts";
import { canonical, describe } from "../support/describe.ts";
import {
  type Door,
  loaded,
  machine,
  streamed,
  toOptions,
  whole,
} from "../support/doors.ts";
import {
  type Fixture,
  type FixtureOptions,
  fixtures,
  type Pickle,
} from "../support/fixtures.ts";
import { type Random, seeded } from "../support/random.ts";

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

async function* every(): AsyncGenerator<[Fixture, Pickle]> {
  for (const file of ["values", "handwritten", "cpython"] as const) {
    for (const fixture of await fixtures(file)) {
      if (fixture.options.encoding === "koi8-r") continue; // not Brine's
      for (const pickle of fixture.pickles) yield [fixture, pickle];
    }
  }
}

/** What a door gives: values, or an error's code and place. */
async function outcome(
  door: Door,
  bytes: Uint8Array<ArrayBuffer>,
  options: FixtureOptions,
): Promise<string> {
  try {
    return canonical(describe(await door(bytes, toOptions(options))));
  } catch (error) {
    if (!(error instanceof UnpicklingError)) throw error;
    return `${error.code} ${error.offset} ${error.opcode}`;
  }
}

/** Everything up to the STOP of a single pickle, which is all `loads` reads. */
function single(
  { options }: Fixture,
  { bytes }: Pickle,
): Uint8Array<ArrayBuffer> | undefined {
  if (options.several || options.keepMemo) return undefined;
  const unpickler = new Unpickler(toOptions(options));
  unpickler.push(bytes);
  try {
    if (unpickler.pull() === MORE) return undefined;
  } catch {
    return undefined;
  }
  return bytes.slice(0, unpickler.position);
}

async function sameThrough(
  door: (random: Random) => Door,
  random: Random,
  share = 1,
  shareOfLong = share,
): Promise<void> {
  let count = 0;
  for await (const [fixture, pickle] of every()) {
    const chance = pickle.bytes.length > 4000 ? shareOfLong : share;
    if (chance < 1 && random.next() > chance) continue;
    const bytes = single(fixture, pickle);
    if (bytes === undefined) continue;
    count++;
    const expected = await outcome(whole, bytes, fixture.options);
    const actual = await outcome(door(random), bytes, fixture.options);
    assert(
      expected === actual,
      `${fixture.group}/${fixture.name} (${pickle.writers}): expected ${
        expected.slice(0, 300)
      }, got ${actual.slice(0, 300)}`,
    );
  }
  assert(count > 6000 * share, `only ${count} pickles`);
}

Deno.test("every pickle in chunks of 64 KiB is as whole", () =>
  seeded((random) => sameThrough(() => machine(65_536), random, 0.5, 1)));

Deno.test("every pickle in chunks of one byte is as whole", () =>
  seeded((random) => sameThrough(() => machine(1), random, 0.5, 0.1)));

Deno.test("every pickle cut anywhere is as whole", () =>
  seeded((random) => sameThrough((random) => machine(random), random)));

Deno.test("PickleDecoderStream is as loads", () =>
  seeded((random) => sameThrough((random) => streamed(random), random, 0.3)));

Deno.test("load is as loads", () =>
  seeded((random) => sameThrough((random) => loaded(random), random, 0.3)));

Deno.test("what a door refuses, every door refuses with the same code, offset and opcode", () =>
  seeded(async (random) => {
    let count = 0;
    for await (const [{ options, name }, { bytes }] of every()) {
      if (options.several || options.keepMemo || bytes.length === 0) continue;
      const expected = await outcome(whole, bytes, options);
      if (!/^[a-z-]+ \d+ /.test(expected)) continue;
      count++;
      for (const cut of [1, 2, 7, 65_536, random]) {
        assertEquals(
          await outcome(machine(cut), bytes, options),
          expected,
          name,
        );
      }
      assertEquals(await outcome(streamed(random), bytes, options), expected);
    }
    assert(count > 150, `only ${count} errors`);
  }));

Deno.test("every proper prefix is truncated", () =>
  seeded(async (random) => {
    let count = 0;
    for await (const [fixture, pickle] of every()) {
      if (pickle.bytes.length > 4000 && random.below(5) > 0) continue;
      const bytes = single(fixture, pickle);
      if (bytes === undefined) continue;
      const options = toOptions(fixture.options);
      const { buffers, ...rest } = options;
      const last = bytes.length - 1;
      const prefixes = new Set<number>();
      for (let i = 0; i <= Math.min(last, 24); i++) {
        prefixes.add(i);
        prefixes.add(last - i);
      }
      // Not of each, for there are many pickles alike.
      if (last < 160 && random.below(3) === 0) {
        for (let i = 0; i <= last; i++) prefixes.add(i);
      } else for (let i = 0; i < 8; i++) prefixes.add(random.below(last));
      for (const length of prefixes) {
        if (length < 0) continue;
        count++;
        let code = "nothing";
        try {
          loads(
            bytes.subarray(0, length),
            buffers ? { ...rest, buffers } : rest,
          );
        } catch (error) {
          code = error instanceof UnpicklingError ? error.code : String(error);
        }
        assert(
          code === "truncated",
          `${fixture.group}/${fixture.name} (${pickle.writers}) to ${length}: ${code}`,
        );
      }
    }
    assert(count > 150_000, `only ${count} prefixes`);
  }));

Deno.test("a prefix through a stream is truncated too, and an empty stream has no values", () =>
  seeded(async (random) => {
    for await (const [fixture, pickle] of every()) {
      if (random.next() > 0.05) continue;
      const bytes = single(fixture, pickle);
      if (bytes === undefined || bytes.length > 5000) continue;
      const length = 1 + random.below(bytes.length - 1);
      if (length >= bytes.length) continue;
      const options = toOptions(fixture.options);
      const prefix = bytes.slice(0, length);
      for (const door of [streamed(random), loaded(random)]) {
        try {
          await door(prefix, options);
        } catch (error) {
          assertInstanceOf(error, UnpicklingError);
          assertEquals(error.code, "truncated");
          continue;
        }
        throw new Error(`${fixture.name} to ${length} is taken`);
      }
    }
    assertEquals(await streamed(1)(new Uint8Array(0), {}), []);
  }));

Deno.test("concatenated pickles give one value each, however they are cut", () =>
  seeded(async (random) => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const expected: string[] = [];
    for await (const [fixture, pickle] of every()) {
      if (random.next() > 0.1 || Object.keys(fixture.options).length > 0) {
        continue;
      }
      const bytes = single(fixture, pickle);
      if (bytes === undefined || bytes.length > 3000) continue;
      parts.push(bytes);
      expected.push(await outcome(whole, bytes, {}));
    }
    const all = new Uint8Array(await new Blob(parts).arrayBuffer());
    assert(expected.length > 300);
    for (const cut of [1, 1000, 65_536, Infinity, random]) {
      const values = await streamed(cut)(all, toOptions({}));
      assertEquals(
        values.map((value) => canonical(describe([value]))),
        expected,
      );
    }
  }));

Deno.test("the memo ends with each pickle, unless keepMemo", async () => {
  const bytes = ascii("]q\x00.h\x00.");
  const stream = (options = {}) =>
    ReadableStream.from([bytes]).pipeThrough(new PickleDecoderStream(options))
      .getReader();
  const apart = stream();
  assertEquals((await apart.read()).value, []);
  const error = await apart.read().catch((error) => error);
  assertInstanceOf(error, UnpicklingError);
  assertEquals(error.code, "memo-missing");
  assertEquals(error.offset, 4);
  const kept = stream({ keepMemo: true });
  const first = (await kept.read()).value;
  assert(first === (await kept.read()).value);
});

Deno.test("an error is the same instance to the reader, and ends the stream", async () => {
  const { readable, writable } = new PickleDecoderStream();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const written = writer.write(ascii("K\x01.\xffK\x02."));
  assertEquals((await reader.read()).value, 1);
  const first = await reader.read().catch((error) => error);
  const second = await reader.read().catch((error) => error);
  assertInstanceOf(first, UnpicklingError);
  assertEquals(first.code, "bad-opcode");
  assertEquals(first.offset, 3);
  assert(first === second);
  const toWriter = await written.catch((error) => error);
  const closed = await writer.closed.catch((error) => error);
  assert(toWriter === first || toWriter === undefined);
  assert(closed === first);
});

Deno.test("a chunk of 100,000 pickles gives no more than is asked for", async () => {
  const count = 100_000;
  const chunk = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) chunk.set([0x4b, i & 0xff, 0x2e], i * 3);
  const unpickler = new Unpickler();
  unpickler.push(chunk);
  assertEquals(unpickler.pull(), 0);
  assertEquals(unpickler.position, 3);
  assertEquals(unpickler.pull(), 1);
  assertEquals(unpickler.position, 6);

  // persistentLoad counts how many values have been made.
  let made = 0;
  const options = { persistentLoad: () => made++ };
  const persistent = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) persistent.set([0x4b, 1, 0x51, 0x2e], i * 4);
  let written = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      written++;
      controller.enqueue(persistent);
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new PickleDecoderStream(options))
    .getReader();
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  await settle();
  assert(made <= 1, `${made} made before anything was asked for`);
  for (let asked = 1; asked <= 20; asked++) {
    assertEquals((await reader.read()).value, asked - 1);
    await settle();
    assert(made <= asked + 1, `${made} made for ${asked} asked`);
  }
  assert(written <= 2, `${written} chunks for 20 values`);
  for (let asked = 21; asked <= 150_000; asked++) await reader.read();
  assert(made <= 150_001, `${made} made for 150,000 asked`);
  assert(written <= 3, `${written} chunks for two`);
  await reader.cancel();
});

Deno.test("a writer waits until its chunk is used up", async () => {
  const { readable, writable } = new PickleDecoderStream();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  let accepted = 0;
  const writes = [1, 2, 3, 4].map((n) =>
    writer.write(ascii(`K${String.fromCharCode(n)}.K\x00.`)).then(() =>
      accepted++
    )
  );
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  await settle();
  assert(accepted <= 1, `${accepted} accepted while nobody reads`);
  for (let read = 1; read <= 8; read++) {
    await reader.read();
    await settle();
    assert(
      accepted <= Math.floor(read / 2) + 1,
      `${accepted} accepted after ${read} values`,
    );
  }
  // That the last chunk is used up shows when more is asked for.
  const end = reader.read();
  await Promise.all([...writes, writer.close()]);
  assert((await end).done);
});

Deno.test("load takes what it needs and no more", async () => {
  let cancelled = false;
  let pulled = 0;
  const source = () => {
    pulled = 0;
    cancelled = false;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(ascii("K\x01.K\x02."));
      },
      cancel() {
        cancelled = true;
      },
    }, { highWaterMark: 0 });
  };
  assertEquals(await load(source()), 1);
  assertEquals(pulled, 1);
  assert(cancelled);
  const kept = source();
  assertEquals(await load(kept, { preventCancel: true }), 1);
  assert(!cancelled);
  assert(!kept.locked);
  await kept.cancel();
});

Deno.test("the whole of a chunk is not read when the stream is cancelled", async () => {
  let made = 0;
  const bytes = ascii("K\x01Q.".repeat(1000));
  const reader = ReadableStream.from([bytes]).pipeThrough(
    new PickleDecoderStream({ persistentLoad: () => made++ }),
  ).getReader();
  await reader.read();
  await reader.cancel();
  assert(made <= 2, `${made} made for one asked`);
});

Deno.test("views into larger buffers and empty chunks are read", () => {
  const padded = ascii("....K\x01K\x02\x86....");
  const inner = padded.subarray(4, 9);
  const values = machine(1)(Uint8Array.from([...inner, 0x2e]), {});
  assertEquals([...(values as [Iterable<unknown>])[0]], [1, 2]);
  const unpickler = new Unpickler();
  unpickler.push(new Uint8Array(0));
  assertEquals(unpickler.pull(), MORE);
  unpickler.push(padded.subarray(4, 6));
  assertEquals(unpickler.pull(), MORE);
  unpickler.push(new Uint8Array(0));
  assertEquals(unpickler.pull(), MORE);
  unpickler.push(padded.subarray(9, 10));
  assertEquals(unpickler.pull(), 1);
  unpickler.end();
  const pieces = chunks(ascii("N."), 1);
  assertEquals(pieces.length, 2);
});
