/**
 * The addresses and networks of Python's `ipaddress`.
 *
 * @module
 */

import { isInt, textOf } from "./arguments.ts";
import { setKeyKind } from "./keys.ts";
import { Global } from "./object.ts";
import { type PyType, register } from "./registry.ts";

/** IPv4 or IPv6. */
export type IpVersion = 4 | 6;

function endOf(version: IpVersion): bigint {
  return version === 4 ? 1n << 32n : 1n << 128n;
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // Leading zeros were allowed up to Python 3.9.4.
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value << 8n | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  let source = text;
  const dot = source.lastIndexOf(":");
  if (source.includes(".")) {
    const last = parseIpv4(source.slice(dot + 1));
    if (last === undefined || dot < 0) return undefined;
    source = `${source.slice(0, dot + 1)}${(last >> 16n).toString(16)}:${
      (last & 0xffffn).toString(16)
    }`;
  }
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const [before = [], after = []] = halves.map((half) =>
    half === "" ? [] : half.split(":")
  );
  const missing = 8 - before.length - after.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const part of [...before, ...Array(missing).fill("0"), ...after]) {
    if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
    value = value << 16n | BigInt(`0x${part}`);
  }
  return value;
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => value >> shift & 0xffn).join(".");
}

/** RFC 5952, as Python's `_compress_hextets`: the first longest run of zeros. */
function ipv6Text(value: bigint): string {
  const parts: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) {
    parts.push((value >> shift & 0xffffn).toString(16));
  }
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (parts[at + length] === "0") length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return parts.join(":");
  const before = parts.slice(0, best.at).join(":");
  return `${before}::${parts.slice(best.at + best.length).join(":")}`;
}

/**
 * A Python `IPv4Address` or `IPv6Address`.
 *
 * @example Read one
 * ```ts
 * import { IpAddress } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(IpAddress.parse("::1")?.int, 1n);
 * assertEquals(String(new IpAddress(4, 0xc0a80001n)), "192.168.0.1");
 * ```
 */
export class IpAddress {
  /** 4 or 6. */
  readonly version: IpVersion;
  /** Its bits as one integer. */
  readonly int: bigint;
  /** The scope of an IPv6 address: what follows its `%`; null without. */
  readonly scopeId: string | null;

  /**
   * Makes one.
   *
   * @param version 4 or 6.
   * @param int Its bits as one integer.
   * @param options `scopeId`: the scope of an IPv6 address.
   * @throws {RangeError} Where it has too many bits.
   */
  constructor(
    version: IpVersion,
    int: bigint,
    options: { scopeId?: string | null } = {},
  ) {
    if (int < 0n || int >= endOf(version)) {
      throw new RangeError("an IPv4 address has 32 bits, IPv6 128");
    }
    this.version = version;
    this.int = int;
    this.scopeId = options.scopeId ?? null;
  }

  /**
   * Reads an address.
   *
   * @param text The address.
   * @returns It, or undefined where the text is none.
   */
  static parse(text: string): IpAddress | undefined {
    if (text.length > 300) return undefined;
    if (!text.includes(":")) {
      const int = parseIpv4(text);
      return int === undefined ? undefined : new IpAddress(4, int);
    }
    const at = text.indexOf("%");
    const scopeId = at < 0 ? null : text.slice(at + 1);
    if (scopeId === "" || scopeId?.includes("%")) return undefined;
    const int = parseIpv6(at < 0 ? text : text.slice(0, at));
    return int === undefined ? undefined : new IpAddress(6, int, { scopeId });
  }

  /**
   * As Python's `str`: `192.168.0.1`, `2001:db8::1`.
   *
   * @returns The text.
   */
  toString(): string {
    if (this.version === 4) return ipv4Text(this.int);
    const scope = this.scopeId === null ? "" : `%${this.scopeId}`;
    // As Python from 3.13 on.
    return this.int >> 32n === 0xffffn
      ? `::ffff:${ipv4Text(this.int & 0xffff_ffffn)}${scope}`
      : ipv6Text(this.int) + scope;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.toString();
  }
}

/** What networks and interfaces have in common: an address and a mask. */
export class WithPrefix {
  /** The address. */
  readonly address: IpAddress;
  /** How many bits of it name the network. */
  readonly prefixLength: number;

  /**
   * Makes one.
   *
   * @param address The address.
   * @param prefixLength How many bits of it name the network.
   * @throws {RangeError} Where the address has fewer bits.
   */
  constructor(address: IpAddress, prefixLength: number) {
    const bits = address.version === 4 ? 32 : 128;
    if (
      !(Number.isInteger(prefixLength) && prefixLength >= 0) ||
      prefixLength > bits
    ) {
      throw new RangeError(`a prefix has 0 to ${bits} bits`);
    }
    this.address = address;
    this.prefixLength = prefixLength;
  }

  /**
   * As Python's `str`: `10.0.0.0/8`.
   *
   * @returns The text.
   */
  toString(): string {
    return `${this.address}/${this.prefixLength}`;
  }

  /**
   * What `JSON.stringify` writes.
   *
   * @returns The text.
   */
  toJSON(): string {
    return this.toString();
  }
}

/**
 * A Python `IPv4Network` or `IPv6Network`.
 *
 * @example Make one
 * ```ts
 * import { IpAddress, IpNetwork } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new IpNetwork(new IpAddress(4, 0x0a000000n), 8);
 * assertEquals(String(network), "10.0.0.0/8");
 * ```
 */
export class IpNetwork extends WithPrefix {}

/**
 * A Python `IPv4Interface` or `IPv6Interface`: an address in its network.
 *
 * @example Make one
 * ```ts
 * import { IpAddress, IpInterface } from "@brine/brine/values";
 * import { assertEquals } from "@std/assert";
 *
 * const own = new IpInterface(IpAddress.parse("10.1.2.3")!, 8);
 * assertEquals(String(own), "10.1.2.3/8");
 * ```
 */
export class IpInterface extends WithPrefix {}

setKeyKind(IpAddress.prototype, {
  kind: "value",
  key: ({ version, int, scopeId }: IpAddress) =>
    `ip ${version} ${int.toString(36)} ${scopeId ?? ""}`,
});
setKeyKind(IpNetwork.prototype, {
  kind: "value",
  key: (network: IpNetwork) => `ip network ${network}`,
});
setKeyKind(IpInterface.prototype, {
  kind: "value",
  key: (value: IpInterface) => `ip interface ${value}`,
});

function makeAddress(
  version: IpVersion,
  args: readonly unknown[],
): IpAddress | undefined {
  if (args.length !== 1) return undefined;
  const [value] = args;
  if (isInt(value)) {
    const int = BigInt(value);
    return int >= 0n && int < endOf(version)
      ? new IpAddress(version, int)
      : undefined;
  }
  const text = textOf(value);
  const address = text === undefined ? undefined : IpAddress.parse(text);
  return address?.version === version ? address : undefined;
}

function makeWithPrefix(
  cls: typeof IpNetwork,
  version: IpVersion,
  args: readonly unknown[],
): WithPrefix | undefined {
  const text = textOf(args[0]);
  if (args.length !== 1 || text === undefined) return undefined;
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match === null ? undefined : IpAddress.parse(match[1]!);
  const prefixLength = Number(match?.[2]);
  const bits = BigInt(version === 4 ? 32 : 128);
  if (address?.version !== version || prefixLength > Number(bits)) {
    return undefined;
  }
  const host = (1n << (bits - BigInt(prefixLength))) - 1n;
  if (cls === IpNetwork && (address.int & host) !== 0n) return undefined;
  return new cls(address, prefixLength);
}

function className(version: IpVersion, kind: string): Global {
  return new Global("ipaddress", `IPv${version}${kind}`);
}

function entries(version: IpVersion): PyType[] {
  return [
    {
      names: [`ipaddress.IPv${version}Address`],
      make: (args) => makeAddress(version, args),
    },
    {
      names: [`ipaddress.IPv${version}Network`],
      make: (args) => makeWithPrefix(IpNetwork, version, args),
    },
    {
      names: [`ipaddress.IPv${version}Interface`],
      make: (args) => makeWithPrefix(IpInterface, version, args),
    },
  ];
}

register(
  ...entries(4),
  ...entries(6),
  {
    names: [],
    class: IpAddress,
    // As CPython from 3.9 on; all versions read the text as well.
    reduce: (address: IpAddress) => ({
      callable: className(address.version, "Address"),
      args: [address.version === 4 ? address.int : String(address)],
    }),
    toPlain: String,
  },
  {
    names: [],
    class: IpNetwork,
    reduce: (network: IpNetwork) => ({
      callable: className(network.address.version, "Network"),
      args: [String(network)],
    }),
    toPlain: String,
  },
  {
    names: [],
    class: IpInterface,
    reduce: (value: IpInterface) => ({
      callable: className(value.address.version, "Interface"),
      args: [String(value)],
    }),
    toPlain: String,
  },
);
