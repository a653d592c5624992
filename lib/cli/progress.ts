/**
 * How far a conversion is, on standard error.
 *
 * @module
 */

import { printable, shorten, size } from "./text.ts";

/** A bar that appears when work takes a while, and goes when it is done. */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  #started: number = performance.now();
  #done = 0;
  #shown = 0;
  #visible = false;

  /**
   * Begins.
   *
   * @param label What is worked on.
   * @param total How many bytes there are, where that is known.
   */
  constructor(label: string, total: number | undefined) {
    this.#label = shorten(printable(label), 30);
    this.#total = total;
  }

  /**
   * More has been done.
   *
   * @param bytes How many bytes more.
   */
  add(bytes: number): void {
    this.#done += bytes;
    const now = performance.now();
    // Short work needs no bar, and a terminal no more than some a second.
    if (now - this.#started < 500 || now - this.#shown < 100) return;
    this.#shown = now;
    this.#draw((now - this.#started) / 1000);
  }

  /**
   * Begins again, for a second pass over the same bytes.
   *
   * @param bytes How many bytes were counted that will be counted again.
   */
  restart(bytes: number = this.#done): void {
    this.#done -= bytes;
    // Each pass has its own pace.
    if (this.#done === 0) this.#started = performance.now();
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#visible) write("\r\x1b[K");
    this.#visible = false;
  }

  #draw(seconds: number): void {
    this.#visible = true;
    const rate = this.#done / seconds;
    let text = `${this.#label} `;
    if (this.#total === undefined || this.#total === 0) {
      text += `${size(this.#done)}, ${size(rate)}/s`;
    } else {
      const part = Math.min(1, this.#done / this.#total);
      const full = Math.round(part * 20);
      text += `[${"#".repeat(full)}${"-".repeat(20 - full)}] ` +
        `${Math.floor(part * 100)}% of ${size(this.#total)}, ` +
        `${size(rate)}/s, ` +
        `${duration((this.#total - this.#done) / rate)} left`;
    }
    write(`\r${shorten(text, columns() - 1)}\x1b[K`);
  }
}

/**
 * How wide standard error is.
 *
 * @returns Columns; 80 where it is no terminal.
 */
export function columns(): number {
  try {
    const { columns } = Deno.consoleSize();
    // Some terminals do not say.
    return columns < 20 ? 80 : columns;
  } catch {
    return 80;
  }
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function write(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Nobody looks.
  }
}
