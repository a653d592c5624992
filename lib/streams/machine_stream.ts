/**
 * The one driver that makes a Web stream of a synchronous machine.
 *
 * @module
 */

/** What {@linkcode Machine.pull} answers when it wants more input. */
export const MORE: unique symbol = Symbol("more");

/**
 * A decoder or encoder that knows nothing of time: input is pushed, results
 * are pulled.
 *
 * @typeParam I What is pushed.
 * @typeParam O What is pulled.
 */
export interface Machine<I, O> {
  /**
   * Takes input. Called only after `pull` answered {@linkcode MORE}.
   *
   * @param chunk What comes next; the machine may keep it.
   */
  push(chunk: I): void;
  /** Says that no input follows. Called only after {@linkcode MORE}. */
  end(): void;
  /**
   * Gives the next result.
   *
   * @returns A result, or {@linkcode MORE} when input is wanted; after `end`,
   * when there are no more results.
   */
  pull(): O | typeof MORE;
}

/**
 * A transform stream around a {@linkcode Machine}. A result is made when the
 * reader asks for it and not before, whatever a chunk may hold; a chunk is
 * accepted when the one before it is used up.
 *
 * @typeParam I What is written.
 * @typeParam O What is read.
 *
 * @example Make a stream of a machine of one's own
 * ```ts
 * import { type Machine, MachineStream, MORE } from "@brine/brine";
 * import { assertEquals } from "@std/assert";
 *
 * class Doubler implements Machine<number, number> {
 *   #waiting: number[] = [];
 *   push(chunk: number): void {
 *     this.#waiting.push(chunk, chunk);
 *   }
 *   end(): void {}
 *   pull(): number | typeof MORE {
 *     return this.#waiting.shift() ?? MORE;
 *   }
 * }
 *
 * const doubled = ReadableStream.from([1, 2])
 *   .pipeThrough(new MachineStream(new Doubler()));
 * assertEquals(await Array.fromAsync(doubled), [1, 1, 2, 2]);
 * ```
 */
export class MachineStream<I, O> implements TransformStream<I, O> {
  /** Where results are read. */
  readonly readable: ReadableStream<O>;
  /** Where input is written. */
  readonly writable: WritableStream<I>;

  /**
   * Makes the pair.
   *
   * @param machine What does the work.
   */
  constructor(machine: Machine<I, O>) {
    // The reader waits in `wake` for input, the writer in `release` until its
    // chunk is used up; each is set only while somebody waits there.
    let wake: (() => void) | undefined;
    let release: (() => void) | undefined;
    let fail: ((reason: unknown) => void) | undefined;
    let ended = false;
    let stopped = false;
    let hungry = false;
    let reading: ReadableStreamDefaultController<O>;
    let writing: WritableStreamDefaultController;

    function settle(): void {
      const resolve = release;
      release = fail = undefined;
      resolve?.();
    }

    function stop(reason: unknown): void {
      stopped = true;
      const reject = fail;
      release = fail = undefined;
      reject?.(reason);
      wake?.();
    }

    /** Gives one result, at once where there is one. */
    function step(
      controller: ReadableStreamDefaultController<O>,
    ): Promise<void> | void {
      if (stopped) return;
      try {
        const result = machine.pull();
        if (result !== MORE) {
          controller.enqueue(result);
          return;
        }
      } catch (error) {
        writing.error(error);
        stop(error);
        throw error;
      }
      if (ended) {
        controller.close();
        settle();
        return;
      }
      hungry = true;
      const input = new Promise<void>((resolve) => wake = resolve);
      settle();
      return input.then(() => {
        wake = undefined;
        return step(controller);
      });
    }

    this.readable = new ReadableStream<O>({
      start(controller): void {
        reading = controller;
      },
      pull(controller): Promise<void> | void {
        return step(controller);
      },
      cancel(reason): void {
        writing.error(reason);
        stop(reason);
      },
    }, { highWaterMark: 0 });

    /** Waits until the reader wants input, then gives it. */
    async function feed(give: () => void): Promise<void> {
      if (!hungry) {
        await new Promise<void>((resolve, reject) => {
          release = resolve;
          fail = reject;
        });
      }
      if (stopped) return;
      hungry = false;
      const used = new Promise<void>((resolve, reject) => {
        release = resolve;
        fail = reject;
      });
      try {
        give();
      } catch (error) {
        reading.error(error);
        release = fail = undefined;
        stop(error);
        throw error;
      }
      wake?.();
      await used;
    }

    this.writable = new WritableStream<I>({
      start(controller): void {
        writing = controller;
      },
      write(chunk): Promise<void> {
        return feed(() => machine.push(chunk));
      },
      close(): Promise<void> {
        return feed(() => {
          machine.end();
          ended = true;
        });
      },
      abort(reason): void {
        reading.error(reason);
        stop(reason);
      },
    }, { highWaterMark: 1 });
  }
}
