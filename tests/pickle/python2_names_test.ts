import { assert, assertEquals } from "@std/assert";
import {
  toPython2Name,
  toPython3Name,
} from "../../lib/pickle/python2_names.ts";

Deno.test("toPython3Name() maps modules, names and both", () => {
  assertEquals(toPython3Name("copy_reg", "_reconstructor"), [
    "copyreg",
    "_reconstructor",
  ]);
  assertEquals(toPython3Name("__builtin__", "object"), ["builtins", "object"]);
  assertEquals(toPython3Name("__builtin__", "xrange"), ["builtins", "range"]);
  assertEquals(toPython3Name("__builtin__", "reduce"), ["functools", "reduce"]);
  assertEquals(toPython3Name("itertools", "izip"), ["builtins", "zip"]);
  assertEquals(toPython3Name("exceptions", "ValueError"), [
    "builtins",
    "ValueError",
  ]);
  assertEquals(toPython3Name("exceptions", "StandardError"), [
    "builtins",
    "Exception",
  ]);
  assertEquals(toPython3Name("UserDict", "UserDict"), [
    "collections",
    "UserDict",
  ]);
});

Deno.test("toPython3Name() leaves other names alone", () => {
  assertEquals(toPython3Name("numpy", "ndarray"), ["numpy", "ndarray"]);
  assertEquals(toPython3Name("itertools", "count"), ["itertools", "count"]);
  assertEquals(toPython3Name("__proto__", "constructor"), [
    "__proto__",
    "constructor",
  ]);
});

Deno.test("toPython2Name() maps modules, names and both", () => {
  assertEquals(toPython2Name("builtins", "object"), ["__builtin__", "object"]);
  assertEquals(toPython2Name("builtins", "int"), ["__builtin__", "long"]);
  assertEquals(toPython2Name("builtins", "OSError"), ["exceptions", "OSError"]);
  assertEquals(toPython2Name("builtins", "FileNotFoundError"), [
    "exceptions",
    "OSError",
  ]);
  assertEquals(toPython2Name("builtins", "ModuleNotFoundError"), [
    "exceptions",
    "ImportError",
  ]);
  assertEquals(toPython2Name("_functools", "reduce"), [
    "__builtin__",
    "reduce",
  ]);
  assertEquals(toPython2Name("http.server", "CGIHTTPRequestHandler"), [
    "CGIHTTPServer",
    "CGIHTTPRequestHandler",
  ]);
  assertEquals(toPython2Name("http.server", "HTTPServer"), [
    "BaseHTTPServer",
    "HTTPServer",
  ]);
  assertEquals(toPython2Name("numpy", "ndarray"), ["numpy", "ndarray"]);
});

const executable = (Deno.env.get("BRINE_PYTHONS") ?? "").split(":")
  .find((path) => /\b3\.13\b/.test(path));

Deno.test({
  name: "the tables are those of CPython 3.13",
  ignore: executable === undefined,
  async fn() {
    const code = `import _compat_pickle as c, json
def rows(modules, names):
    return [[m, "?", n, "?"] for m, n in modules.items()] + [
        [*a, *b] for a, b in names.items()]
print(json.dumps([rows(c.IMPORT_MAPPING, c.NAME_MAPPING),
    rows(c.REVERSE_IMPORT_MAPPING, c.REVERSE_NAME_MAPPING)]))`;
    const { stdout } = await new Deno.Command(executable!, {
      args: ["-c", code],
    }).output();
    const tables = JSON.parse(new TextDecoder().decode(stdout));
    assert(tables[0].length > 100);
    for (const [module, name, ...expected] of tables[0]) {
      assertEquals([...toPython3Name(module, name)], expected);
    }
    for (const [module, name, ...expected] of tables[1]) {
      assertEquals([...toPython2Name(module, name)], expected);
    }
  },
});
