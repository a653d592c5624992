/**
 * Chance that can be had again.
 *
 * @module
 */

/** A seeded source of numbers (mulberry32). */
export class Random {
  /** What to give the constructor to see the same again. */
  readonly seed: number;
  #state: number;

  /**
   * Begins.
   *
   * @param seed Where; BRINE_SEED or chance when left out.
   */
  constructor(seed?: number) {
    this.seed = (seed ?? Number(
      Deno.env.get("BRINE_SEED") ?? Math.floor(Math.random() * 2 ** 31),
    )) >>> 0;
    this.#state = this.seed;
  }

  /** A number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** One of several. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/**
 * Runs a test with chance in it, and says the seed when it fails.
 *
 * @param body The test.
 * @param seed A seed to use always.
 */
export async function seeded(
  body: (random: Random) => void | Promise<void>,
  seed?: number,
): Promise<void> {
  const random = new Random(seed);
  try {
    await body(random);
  } catch (cause) {
    console.error(`seed: ${random.seed} (BRINE_SEED=${random.seed})`);
    throw cause;
  }
}
