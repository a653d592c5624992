import { assert, assertEquals } from "@std/assert";
import { dumps } from "../../lib/pickle/mod.ts";

const MODULE = new URL("../../lib/serve/mod.ts", import.meta.url).href;
const START = Uint8Array.of(0x80, 2, 0x5d);
/** A thousand records at a time, as Python adds them, nothing for the memo. */
const RECORDS = new TextEncoder().encode(
  ("(" + "}(U\x01aK\x01U\x01bU\x05hellou".repeat(1000) + "e").repeat(20),
);
const END = Uint8Array.of(0x2e);
/** What a record becomes. */
const RECORD = '{"a": 1, "b": "hello"}';

/** `deno serve` in a process of its own, as users start it. */
class Service implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly port: number;

  private constructor(process: Deno.ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(): Promise<Service> {
    const listener = Deno.listen({ port: 0 });
    const { port } = listener.addr;
    listener.close();
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "serve",
        "--no-check",
        "--v8-flags=--max-old-space-size=128",
        "--host=127.0.0.1",
        `--port=${port}`,
        MODULE,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const service = new Service(process, port);
    for (let i = 0; i < 100; i++) {
      try {
        if (await service.works()) break;
      } catch {
        await sleep(100);
      }
    }
    return service;
  }

  async works(): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${this.port}/`, {
      method: "POST",
      headers: { "content-type": "application/x-pickle" },
      body: dumps([1]),
    });
    return await response.text() === "[1]\n";
  }

  /** The memory that is resident, in MB. */
  async memory(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`);
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  }

  /** How long the processors worked for it, in seconds. */
  async work(): Promise<number> {
    const stat = await Deno.readTextFile(`/proc/${this.#process.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A client that says itself when it reads and when it writes. */
class Client implements Disposable {
  readonly #conn: Deno.TcpConn;
  #closed = false;
  sent = 0;
  received = 0;
  tail = "";

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async post({ port }: Service, length: number): Promise<Client> {
    const client = new Client(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
    await client.#write(new TextEncoder().encode(
      "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
        `Content-Type: application/x-pickle\r\nContent-Length: ${length}\r\n\r\n`,
    ));
    return client;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await this.#conn.write(bytes.subarray(done));
    }
    this.sent += bytes.length;
  }

  /** Sends so many chunks of records, as fast as they are taken. */
  async send(count: number): Promise<void> {
    await this.#write(START);
    for (let i = 0; i < count; i++) await this.#write(RECORDS);
    await this.#write(END);
  }

  /** Reads all, or some; at most so many bytes in a second. */
  async receive(
    { most = Infinity, rate = Infinity } = {},
  ): Promise<void> {
    const buffer = new Uint8Array(262_144);
    const start = performance.now();
    while (this.received < most) {
      const count = await this.#conn.read(buffer);
      if (count === null) return;
      this.received += count;
      const end = buffer.subarray(Math.max(0, count - 40), count);
      this.tail = (this.tail + new TextDecoder().decode(end)).slice(-40);
      const early = this.received / rate * 1000 - (performance.now() - start);
      if (early > 0) await sleep(early);
    }
  }

  /** Leaves, whatever is still on its way. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.#conn.close();
    this.#closed = true;
  }
}

/** How long a body of so many chunks of records is. */
function lengthOf(count: number): number {
  return START.length + RECORDS.length * count + END.length;
}

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "many clients at once, slow ones among them, take little memory",
  ignore,
  async fn() {
    await using service = await Service.start();
    const count = 250;
    let most = 0;
    let running = true;
    const watching = (async () => {
      while (running) {
        most = Math.max(most, await service.memory());
        await sleep(50);
      }
    })();
    await Promise.all(Array.from({ length: 6 }, async (_, index) => {
      using client = await Client.post(service, lengthOf(count));
      await Promise.all([
        client.send(count),
        client.receive(index < 2 ? { rate: 20e6 } : {}),
      ]);
      assert(client.received > count * 20_000 * (RECORD.length + 2));
      assert(client.tail.includes(`${RECORD}]`), client.tail);
    }));
    running = false;
    await watching;
    assert(most < 400, `${most} MB`);
  },
});

Deno.test({
  name: "a client that does not read is not read from",
  ignore,
  async fn() {
    await using service = await Service.start();
    const before = await service.memory();
    const count = 500;
    using client = await Client.post(service, lengthOf(count));
    const sending = client.send(count).catch(() => {});
    let sent = -1;
    while (client.sent > sent) {
      sent = client.sent;
      await sleep(500);
    }
    // What the kernel holds on both ways, and little more.
    assert(sent < 60e6, `${sent} bytes taken`);
    const held = await service.memory() - before;
    assert(held < 100, `${held} MB for a client that does not read`);
    // As it reads, more is taken.
    await client.receive({ most: 100e6 });
    assert(client.sent > sent);
    await client.receive();
    await sending;
    assert(client.tail.includes(`${RECORD}]`), client.tail);
  },
});

Deno.test({
  name: "clients that leave free what they held, and their conversions stop",
  ignore,
  async fn() {
    await using service = await Service.start();
    async function leave(): Promise<void> {
      using client = await Client.post(service, lengthOf(1000));
      const sending = client.send(1000).catch(() => {});
      await client.receive({ most: 5e6 });
      client[Symbol.dispose]();
      await sending;
      assert(client.sent < lengthOf(1000));
    }
    async function leaveAll(): Promise<number> {
      for (let i = 0; i < 5; i++) {
        await Promise.all(Array.from({ length: 5 }, leave));
      }
      await sleep(300);
      return await service.memory();
    }
    const before = await leaveAll();
    const after = await leaveAll();
    assert(after - before < 60, `${before} MB, then ${after} MB`);
    // Nothing goes on for nobody.
    const work = await service.work();
    await sleep(1000);
    const more = await service.work() - work;
    assert(more < 0.5, `${more} s of work in a second`);
    assert(await service.works());
  },
});

Deno.test({
  name: "scans of long bodies take little memory",
  ignore,
  async fn() {
    await using service = await Service.start();
    async function post(size: number): Promise<void> {
      const response = await fetch(`http://127.0.0.1:${service.port}/scan`, {
        method: "POST",
        headers: { "content-type": "application/x-pickle" },
        body: ReadableStream.from((function* () {
          yield START;
          for (let i = 0; i < size; i++) yield RECORDS;
          yield END;
        })()),
      });
      assertEquals((await response.json()).verdict, "safe");
    }
    await Promise.all(Array.from({ length: 3 }, () => post(10)));
    const before = await service.memory();
    // 90 MB each, of which 16 MiB are kept for the end.
    await Promise.all(Array.from({ length: 3 }, () => post(250)));
    const grown = await service.memory() - before;
    assert(grown < 250, `${grown} MB more`);
  },
});

Deno.test(
  "a thousand malformed posts leave it serving",
  { ignore },
  async () => {
    await using service = await Service.start();
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (end: number): number => {
      state = Math.imul(state, 1103515245) + 12345 >>> 0;
      return (state >>> 8) % end;
    };
    const good = dumps({ spam: [1, 2.5, null], eggs: "ü".repeat(100) });
    const paths = ["/", "/scan", "/dis", "/tagged", "/jsonl?items", "/pickle"];
    const statuses = new Set<number>();
    async function post(): Promise<void> {
      const body = good.slice(0, 1 + random(good.length));
      for (let i = 0; i < 3; i++) body[random(body.length)] = random(256);
      const path = paths[random(paths.length)]!;
      try {
        const response = await fetch(
          `http://127.0.0.1:${service.port}${path}`,
          {
            method: "POST",
            headers: { "content-type": "application/x-pickle" },
            body,
          },
        );
        statuses.add(response.status);
        await response.bytes();
      } catch {
        // Broken off after the first byte.
      }
    }
    const before = await service.memory();
    for (let i = 0; i < 100; i++) {
      await Promise.all(
        Array.from({ length: 10 }, post),
      );
    }
    assert(statuses.has(400));
    assert(!statuses.has(500), `${[...statuses]}`);
    assertEquals(await service.works(), true);
    const grown = await service.memory() - before;
    assert(grown < 200, `${grown} MB more`);
  },
);
