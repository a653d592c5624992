/**
 * Numbers that nobody can know beforehand, so that nobody can choose input
 * whose hashes collide.
 *
 * @module
 */

/**
 * Draws numbers.
 *
 * @param length How many.
 * @returns Random 32-bit integers.
 */
export function secretInts(length: number): Int32Array {
  const ints = new Int32Array(length);
  try {
    return crypto.getRandomValues(ints);
  } catch {
    // Cloudflare's Workers have none while a module loads; what hashes give is
    // not shown to anyone, from which Math.random could be reckoned.
    return ints.map(() => Math.random() * 0x100000000);
  }
}
