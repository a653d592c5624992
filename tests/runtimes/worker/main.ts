/**
 * The page's side of decode_worker.ts.
 *
 * @module
 */

import type { Message } from "./decode_worker.ts";

/**
 * Reads all pickles of a blob in a worker.
 *
 * @param script Where decode_worker.ts is, bundled.
 * @param blob The pickles, one behind the other.
 * @returns Their values, as JSON has them.
 */
export function decodeInWorker(
  script: string | URL,
  blob: Blob,
): Promise<unknown[]> {
  const worker = new Worker(script, { type: "module" });
  const values: unknown[] = [];
  return new Promise<unknown[]>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("value" in data) values.push(JSON.parse(data.value));
      else if ("end" in data) resolve(values);
      else reject(Object.assign(new Error(data.error), data));
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(blob);
  }).finally(() => worker.terminate());
}

/**
 * Tries it.
 *
 * @param script Where decode_worker.ts is, bundled.
 * @returns What went wrong, or nothing.
 */
export async function tryWorker(script: string | URL): Promise<string[]> {
  const wrong: string[] = [];
  const bytes = (text: string) =>
    Uint8Array.from(text, (char) => char.charCodeAt(0));
  // (1, 'a'), {'k': None} and {1: 2.0}
  const good = "K\x01\x8c\x01a\x86.}\x8c\x01kNs.}K\x01G@\0\0\0\0\0\0\0s.";
  const values = await decodeInWorker(script, new Blob([bytes(good)]));
  const text = JSON.stringify(values);
  if (text !== '[[1,"a"],{"k":null},{"1":2}]') wrong.push(text);
  try {
    await decodeInWorker(script, new Blob([bytes("N.\xff")]));
    wrong.push("a bad pickle was taken");
  } catch (error) {
    const { code, offset } = error as { code?: string; offset?: number };
    if (code !== "bad-opcode" || offset !== 2) wrong.push(`${error}: ${code}`);
  }
  return wrong;
}
