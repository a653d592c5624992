/**
 * A Web Worker that reads pickles, so that the page stays responsive. It is
 * sent a `Blob` (a dropped `File` is one), and answers with a message for each
 * value, and one at the end.
 *
 * What crosses between threads is JSON: structured cloning would lose the
 * classes of Python's values.
 *
 * @module
 */

import { json, PickleDecoderStream, UnpicklingError } from "../../../mod.ts";

/** What the worker says. */
export type Message =
  | { value: string }
  | { end: number }
  | { error: string; code?: string; offset?: number };

/** The worker's own side of things, wherever it runs. */
interface Scope {
  onmessage: ((event: MessageEvent<Blob>) => void) | null;
  postMessage(message: Message): void;
}

const scope = globalThis as unknown as Scope;

async function decode(blob: Blob): Promise<Message> {
  const reader = blob.stream().pipeThrough(new PickleDecoderStream())
    .getReader();
  try {
    for (let count = 0;; count++) {
      const { done, value } = await reader.read();
      if (done) return { end: count };
      scope.postMessage({ value: json.dumps(value, { types: "plain" }) });
    }
  } catch (error) {
    const { message } = error as Error;
    return error instanceof UnpicklingError
      ? { error: message, code: error.code, offset: error.offset }
      : { error: message };
  }
}

scope.onmessage = async ({ data }) => scope.postMessage(await decode(data));
