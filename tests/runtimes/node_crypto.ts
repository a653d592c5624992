/**
 * Stands in for `node:crypto` in browsers, as far as the tests use it: SHA-256
 * without waiting (FIPS 180-4).
 *
 * @module
 */

/** The first 32 bits of the fractions of roots of the first primes. */
function fractions(count: number, root: (prime: number) => number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) isPrime &&= n % d !== 0;
    if (isPrime) found.push((root(n) % 1 * 2 ** 32) | 0);
  }
  return found;
}

const START = fractions(8, Math.sqrt);
const ROUNDS = fractions(64, Math.cbrt);

function turn(x: number, by: number): number {
  return x >>> by | x << (32 - by);
}

function sha256(bytes: Uint8Array): string {
  const padded = new DataView(
    new ArrayBuffer((bytes.length + 9 + 63) & ~63),
  );
  new Uint8Array(padded.buffer).set(bytes);
  padded.setUint8(bytes.length, 0x80);
  padded.setBigUint64(padded.byteLength - 8, BigInt(bytes.length) * 8n);
  const hash = Int32Array.from(START);
  const words = new Int32Array(64);
  for (let at = 0; at < padded.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = padded.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = words[i - 15]!;
      const y = words[i - 2]!;
      words[i] = words[i - 16]! + words[i - 7]! +
        (turn(x, 7) ^ turn(x, 18) ^ x >>> 3) +
        (turn(y, 17) ^ turn(y, 19) ^ y >>> 10);
    }
    let [a, b, c, d, e, f, g, h] = hash as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    for (let i = 0; i < 64; i++) {
      const first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
          (e & f ^ ~e & g) + ROUNDS[i]! + words[i]! | 0;
      const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
        (a & b ^ a & c ^ b & c);
      [a, b, c, d, e, f, g, h] = [
        first + second | 0,
        a,
        b,
        c,
        d + first | 0,
        e,
        f,
        g,
      ];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => hash[i]! += value);
  }
  return Array.from(hash, (n) => (n >>> 0).toString(16).padStart(8, "0"))
    .join("");
}

interface Hash {
  update(bytes: Uint8Array): Hash;
  digest(form: "hex"): string;
}

/**
 * A hash, as Node makes it.
 *
 * @param name `sha256`.
 * @returns What takes bytes and gives their digest.
 */
export function createHash(name: string): Hash {
  if (name !== "sha256") throw new TypeError(`no ${name} is here`);
  let given = new Uint8Array(0);
  const hash: Hash = {
    update(bytes) {
      const all = new Uint8Array(given.length + bytes.length);
      all.set(given);
      all.set(bytes, given.length);
      given = all;
      return hash;
    },
    digest: () => sha256(given),
  };
  return hash;
}
