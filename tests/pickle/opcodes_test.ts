import { assert, assertEquals, assertThrows } from "@std/assert";
import { ARGUMENT_LAYOUTS } from "../../lib/pickle/arguments.ts";
import * as opcodes from "../../lib/pickle/opcodes.ts";
import { findPython } from "./dis_support.ts";

const { OPCODES, OPCODE_BY_CODE, isOpcode, unreachableOpcode } = opcodes;

Deno.test("the table has 68 opcodes, each byte and name once", () => {
  assertEquals(OPCODES.length, 68);
  assertEquals(new Set(OPCODES.map(({ code }) => code)).size, 68);
  assertEquals(new Set(OPCODES.map(({ name }) => name)).size, 68);
});

Deno.test("tables and constants agree", () => {
  for (const opcode of OPCODES) {
    assertEquals(OPCODE_BY_CODE[opcode.code], opcode);
    assertEquals(
      (opcodes as Record<string, unknown>)[opcode.name],
      opcode.code,
    );
    assert(isOpcode(opcode.code));
    assert(opcode.argument in ARGUMENT_LAYOUTS);
  }
  assertEquals(OPCODE_BY_CODE.length, 256);
  assertEquals(OPCODE_BY_CODE.filter((row) => row !== undefined).length, 68);
  assert(!isOpcode(0));
  assertThrows(() => unreachableOpcode(0 as never), TypeError);
});

Deno.test("a mark is taken together with what is above it", () => {
  for (const { before, name } of OPCODES as readonly opcodes.Opcode[]) {
    assertEquals(
      before.includes("mark"),
      before.at(-1) === "stackslice",
      name,
    );
  }
});

const python = await findPython("3.13");

Deno.test({
  name: "the table is that of a live pickletools",
  ignore: python === undefined,
  async fn() {
    const script = `
import json, pickletools
print(json.dumps([[o.name, ord(o.code), o.arg.name if o.arg else "none",
  [i.name for i in o.stack_before], [i.name for i in o.stack_after], o.proto]
  for o in sorted(pickletools.opcodes, key=lambda o: (o.proto, o.code))]))`;
    const { stdout } = await new Deno.Command(python!, {
      args: ["-c", script],
    }).output();
    assertEquals(
      OPCODES.map((
        { name, code, argument, before, after, protocol },
      ) => [name, code, argument, [...before], [...after], protocol]),
      JSON.parse(new TextDecoder().decode(stdout)),
    );
  },
});
