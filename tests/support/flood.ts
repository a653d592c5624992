/**
 * Keys that V8's `Map` finds hard: it hashes small integers without a seed, by
 * Thomas Wang's mixing of 32 bits (v8/src/base/hashing.h and
 * v8/src/utils/utils.h, `ComputeUnseededHash`), every step of which can be
 * undone.
 *
 * @module
 */

/** V8's hash of an integer before it is cut to 30 bits. */
export function unseededHash(key: number): number {
  let hash = key | 0;
  hash = (~hash + (hash << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  hash ^= hash >>> 16;
  return hash | 0;
}

/** The inverse of an odd number modulo 2^32. */
function inverse(n: number): number {
  let x = n;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(n, x));
  return x;
}

/** Undoes `x ^= x >>> shift`. */
function unshift(hash: number, shift: number): number {
  let x = hash;
  for (let done = shift; done < 32; done += shift) x = hash ^ (x >>> shift);
  return x;
}

const BY_5 = inverse(5);
const BY_2057 = inverse(2057);
const BY_32767 = inverse((1 << 15) - 1);

/** The integer that has a hash. */
export function keyOf(hash: number): number {
  let key = unshift(hash, 16);
  key = Math.imul(key, BY_2057);
  key = unshift(key, 4);
  key = Math.imul(key, BY_5);
  key = unshift(key, 12);
  // ~x + (x << 15) is x * (2^15 - 1) - 1.
  return Math.imul((key + 1) | 0, BY_32767);
}

/**
 * Integers that all fall into one bucket of a `Map` of V8's.
 *
 * @param count How many, at most 65,536.
 * @returns The integers, each an int32.
 */
export function floodKeys(count: number): number[] {
  const keys: number[] = [];
  // Buckets go by the low bits; V8 keeps 30 of the hash.
  for (let high = 0; keys.length < count; high++) {
    const key = keyOf((high << 16) | 0x1234);
    // Beyond 31 bits it may be a heap number, hashed in another way.
    if (key >= -(2 ** 30) && key < 2 ** 30) keys.push(key);
    if (high >= 2 ** 16) {
      return keys.concat(more(count - keys.length, new Set(keys)));
    }
  }
  return keys;
}

/** Those with one bit less in common. */
function more(count: number, known: Set<number>): number[] {
  const keys: number[] = [];
  for (let high = 0; keys.length < count && high < 2 ** 18; high++) {
    const key = keyOf((high << 14) | 0x1234);
    if (key >= -(2 ** 30) && key < 2 ** 30 && !known.has(key)) {
      known.add(key);
      keys.push(key);
    }
  }
  return keys;
}
