/**
 * Random pickles of plain data, written by hand in every spelling that the
 * picklers of CPython (C and pure Python, 2 and 3) use.
 *
 * @module
 */

import type { Random } from "../support/random.ts";

const encoder = new TextEncoder();
const STRINGS = [
  "",
  "a",
  "key",
  "naïve",
  "日本",
  "😀",
  'quo"te',
  "back\\slash",
  "line\nbreak",
  "\u007f\u0000",
  "a somewhat longer string that goes on",
];

/** What a random pickle is like. */
export interface RandomPickleOptions {
  /** Protocol, 0 to 5. */
  protocol: number;
  /** Whether Python's `pickle._Pickler` writes it. */
  pure?: boolean;
  /** About how many values it has. */
  size?: number;
  /** How many items a batch has at most (1000 in Python). */
  batch?: number;
  /** Whether there are objects: sets, bytes, dates, decimals. */
  objects?: boolean;
  /** Whether slots are numbered from 1, with holes, as Python 2 does. */
  holes?: boolean;
  /** Whether containers are shared. */
  share?: boolean;
  /** How many such values a list is to hold; by default there is one. */
  records?: number;
}

/** Writes one random pickle. */
export function randomPickle(
  random: Random,
  options: RandomPickleOptions,
): Uint8Array<ArrayBuffer> {
  const { protocol, pure = false, batch = 1000, objects = false } = options;
  const holes = options.holes === true && protocol < 4;
  const share = options.share ?? true;
  const out: number[] = [];
  function chance(p: number): boolean {
    return random.next() < p;
  }
  let left = options.size ?? 30;
  let slots = holes ? 1 : 0;
  const strings: { slot: number; text: string }[] = [];
  const shared: number[] = [];
  /** A class or function that has been named. */
  const globals = new Map<string, number>();

  function ascii(text: string): void {
    for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i));
  }
  function uint(value: number, size: number): void {
    for (let i = 0; i < size; i++) {
      out.push(Math.floor(value / 2 ** (8 * i)) & 255);
    }
  }
  function put(): number {
    if (holes && chance(0.3)) slots += random.below(3);
    const slot = slots++;
    if (protocol >= 4) out.push(0x94);
    else if (protocol === 0) ascii(`p${slot}\n`);
    else if (slot < 256) out.push(0x71, slot);
    else {
      out.push(0x72);
      uint(slot, 4);
    }
    return slot;
  }
  function get(slot: number): void {
    if (protocol === 0) ascii(`g${slot}\n`);
    else if (slot < 256) out.push(0x68, slot);
    else {
      out.push(0x6a);
      uint(slot, 4);
    }
  }
  function string(text: string): void {
    const known = strings.find((entry) => entry.text === text);
    if (known !== undefined && chance(0.8)) return get(known.slot);
    if (protocol === 0) {
      out.push(0x56);
      for (const char of text) {
        const code = char.codePointAt(0)!;
        if (code > 0xffff) ascii("\\U" + code.toString(16).padStart(8, "0"));
        else if (code > 0xff || code === 0x5c || code === 10 || code === 0) {
          ascii("\\u" + code.toString(16).padStart(4, "0"));
        } else out.push(code);
      }
      out.push(10);
    } else {
      const bytes = encoder.encode(text);
      if (protocol >= 4 && bytes.length < 256) out.push(0x8c, bytes.length);
      else {
        out.push(0x58);
        uint(bytes.length, 4);
      }
      for (const byte of bytes) out.push(byte);
    }
    strings.push({ slot: put(), text });
  }
  function float(value: number): void {
    if (protocol === 0) {
      return ascii(`F${value !== value ? "nan" : value}\n`);
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    out.push(0x47, ...bytes);
  }
  function int(value: number): void {
    if (protocol === 0) {
      ascii(chance(0.5) ? `I${value}\n` : `L${value}L\n`);
    } else if (value >= 0 && value < 256) out.push(0x4b, value);
    else if (value >= 0 && value < 65536) {
      out.push(0x4d);
      uint(value, 2);
    } else if (value === (value | 0)) {
      out.push(0x4a);
      uint(value >>> 0, 4);
    } else if (protocol < 2) ascii(`L${value}L\n`);
    else {
      out.push(0x8a, 8);
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
      out.push(...bytes);
    }
  }
  function atom(): void {
    switch (random.below(9)) {
      case 0:
        return void out.push(0x4e);
      case 1:
        if (protocol < 2) ascii(chance(0.5) ? "I01\n" : "I00\n");
        else out.push(chance(0.5) ? 0x88 : 0x89);
        return;
      case 2:
      case 3:
        return int(
          random.pick([
            0,
            1,
            7,
            255,
            256,
            65535,
            65536,
            -1,
            -129,
            2 ** 40,
            -(2 ** 53),
          ]),
        );
      case 4:
        return float(random.pick([0, 1, -0.5, 1e300, 0.1, 1e16, 12.5, 1e-5]));
      default:
        return string(random.pick(STRINGS));
    }
  }
  function named(module: string, name: string): void {
    const full = `${module}.${name}`;
    const known = globals.get(full);
    if (known !== undefined) return get(known);
    if (protocol >= 4) {
      string(module);
      string(name);
      out.push(0x93);
    } else ascii(`c${module}\n${name}\n`);
    globals.set(full, put());
  }
  function object(): void {
    switch (random.below(8)) {
      case 0: // bytes
        if (protocol < 3) return atom();
        out.push(0x43, 3, 1, 2, 255);
        put();
        return;
      case 1: // set
        if (protocol < 4) return atom();
        out.push(0x8f);
        put();
        out.push(0x28);
        int(1);
        int(300);
        out.push(0x90);
        return;
      case 2: // frozenset
        if (protocol < 4) return atom();
        out.push(0x28);
        int(3);
        string("member");
        out.push(0x91);
        shared.push(put());
        return;
      case 3: // Decimal
        named("decimal", "Decimal");
        if (protocol < 2) out.push(0x28);
        string("1.50");
        out.push(protocol < 2 ? 0x74 : 0x85);
        put();
        out.push(0x52);
        put();
        return;
      case 4: // timedelta
        named("datetime", "timedelta");
        if (protocol >= 2) {
          int(1);
          int(2);
          int(3);
          out.push(0x87);
        } else {
          out.push(0x28);
          int(1);
          int(2);
          int(3);
          out.push(0x74);
        }
        put();
        out.push(0x52);
        shared.push(put());
        return;
      case 5: // OrderedDict
      case 6: { // defaultdict
        const ordered = random.below(2) === 0;
        named("collections", ordered ? "OrderedDict" : "defaultdict");
        if (!ordered) {
          if (protocol < 2) out.push(0x28);
          named(protocol < 3 ? "__builtin__" : "builtins", "list");
          out.push(protocol < 2 ? 0x74 : 0x85);
          put();
        } else if (protocol === 0) ascii("(t");
        else out.push(0x29);
        out.push(0x52);
        const slot = put();
        let key = 0;
        items(random.pick([0, 1, 2, 5]), () => {
          string(`key${key++}`);
          value(5);
        }, { single: 0x73, many: 0x75 });
        shared.push(slot);
        return;
      }
      default: // an object with a state
        if (protocol < 2) return atom();
        named("app", "Thing");
        out.push(0x29, 0x81);
        put();
        out.push(0x7d);
        put();
        out.push(0x28);
        string("name");
        value(3);
        string("other");
        atom();
        out.push(0x75, 0x62);
    }
  }
  function items(
    n: number,
    one: (i: number) => void,
    codes: { single: number; many: number },
  ): void {
    if (protocol === 0) {
      for (let i = 0; i < n; i++) {
        one(i);
        out.push(codes.single);
      }
      return;
    }
    for (let i = 0; i < n; i += batch) {
      const size = Math.min(batch, n - i);
      if (size === 1 && (pure || i > 0 || n === 1)) {
        one(i);
        out.push(codes.single);
      } else {
        out.push(0x28);
        for (let j = i; j < i + size; j++) one(j);
        out.push(codes.many);
      }
    }
    // The C pickler's empty batch behind a dict of full ones.
    if (!pure && codes.single === 0x73 && n > 0 && n % batch === 0 && n > 1) {
      out.push(0x28, codes.many);
    }
  }
  function value(depth: number): void {
    left--;
    if (left < 0 || depth > 12) return atom();
    if (shared.length > 0 && share && chance(0.12)) {
      return get(random.pick(shared));
    }
    if (objects && chance(0.12)) return object();
    const kind = random.below(10);
    const n = random.pick([
      0,
      0,
      1,
      1,
      2,
      3,
      4,
      batch < 50 ? batch : 2,
      batch < 50 ? batch + 1 : 5,
    ]);
    if (kind < 3) {
      if (protocol === 0) ascii("(l");
      else out.push(0x5d);
      const slot = put();
      items(n, () => value(depth + 1), { single: 0x61, many: 0x65 });
      shared.push(slot);
    } else if (kind < 6) {
      if (protocol === 0) ascii("(d");
      else out.push(0x7d);
      const slot = put();
      const used = new Set<unknown>();
      items(n, () => {
        for (;;) {
          const key = chance(0.7)
            ? random.pick(STRINGS) + random.pick(["", "x", "yy", "0", "1", "2"])
            : random.pick([0, 1, 2.5, 300, -7, 12, 13, 14, 15, null]);
          if (used.has(key)) continue;
          used.add(key);
          if (typeof key === "string") string(key);
          else if (key === null) out.push(0x4e);
          else if (Number.isInteger(key)) int(key);
          else float(key);
          break;
        }
        value(depth + 1);
      }, { single: 0x73, many: 0x75 });
      shared.push(slot);
    } else if (kind < 8) {
      if (n === 0) {
        if (protocol === 0) ascii("(t");
        else out.push(0x29);
      } else if (protocol >= 2 && n <= 3) {
        for (let i = 0; i < n; i++) value(depth + 1);
        out.push(0x84 + n);
        shared.push(put());
      } else {
        out.push(0x28);
        for (let i = 0; i < n; i++) value(depth + 1);
        out.push(0x74);
        shared.push(put());
      }
    } else atom();
  }

  if (protocol >= 2) out.push(0x80, protocol);
  if (options.records === undefined) value(0);
  else {
    if (protocol === 0) ascii("(l");
    else out.push(0x5d);
    put();
    items(options.records, () => {
      left = options.size ?? 30;
      value(1);
    }, { single: 0x61, many: 0x65 });
  }
  out.push(0x2e);
  if (protocol < 4) return Uint8Array.from(out);
  // One frame around all, as the picklers write small ones.
  const frame = [0x80, protocol, 0x95];
  const size = out.length - 2;
  for (let i = 0; i < 8; i++) frame.push(Math.floor(size / 2 ** (8 * i)) & 255);
  return Uint8Array.from([...frame, ...out.slice(2)]);
}
