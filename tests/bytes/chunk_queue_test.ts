import { assertEquals } from "@std/assert";
import { ChunkQueue } from "../../lib/bytes/chunk_queue.ts";

Deno.test("ChunkQueue joins what was pushed, once", () => {
  const queue = new ChunkQueue();
  queue.push(Uint8Array.of(1, 2));
  queue.push(new Uint8Array(0));
  queue.push(Uint8Array.of(3));
  assertEquals(queue.size, 3);
  assertEquals([...queue.join()], [1, 2, 3]);
  assertEquals(queue.size, 0);
  assertEquals([...queue.join()], []);
});

Deno.test("ChunkQueue gives bytes of its own", () => {
  const queue = new ChunkQueue();
  const chunk = Uint8Array.of(1, 2);
  queue.push(chunk);
  const joined = queue.join();
  chunk[0] = 9;
  assertEquals([...joined], [1, 2]);
});

Deno.test("ChunkQueue forgets", () => {
  const queue = new ChunkQueue();
  queue.push(Uint8Array.of(1));
  queue.clear();
  assertEquals(queue.size, 0);
});
