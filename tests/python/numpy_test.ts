import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { dumps as toJson } from "../../lib/json/mod.ts";
import { dumps, loads } from "../../lib/pickle/mod.ts";
import {
  attributesOf,
  Complex,
  Datetime64,
  DType,
  Global,
  LimitError,
  MaskedArray,
  NdArray,
  NumpyScalar,
  PyDict,
  PyObject,
  Timedelta64,
  Tuple,
} from "../../lib/values.ts";
import {
  assertComesBack,
  assertOpens,
  scienceFixtures,
} from "../support/science_fixtures.ts";
import { ask, hasPythons, type Question } from "../support/science_python.ts";

/** As the pickler writes `_reconstruct` and BUILD, with a state of one's own. */
function arrayPickle(...state: unknown[]): Uint8Array {
  const object = new PyObject(
    new Global("numpy.core.multiarray", "_reconstruct"),
    [new Global("numpy", "ndarray"), Tuple.of(0), new Uint8Array([0x62])],
    { via: "reduce", state: Tuple.from(state) },
  );
  return dumps(object);
}

function dtypePickle(name: string, ...state: unknown[]): PyObject {
  return new PyObject(new Global("numpy", "dtype"), [name, false, true], {
    via: "reduce",
    state: Tuple.from(state),
  });
}

const F8 = dtypePickle("f8", 3, "<", null, null, null, -1, -1, 0);

Deno.test("numpy's fixtures read as Python described them, and come back", async () => {
  const fixtures = await scienceFixtures("numpy");
  assert(fixtures.length > 250);
  for (const fixture of fixtures) {
    await assertComesBack(fixture, await assertOpens(fixture));
  }
});

Deno.test("pickles of numpy are written as numpy wrote them", async () => {
  let same = 0;
  let all = 0;
  for (const { name, kind, bytes, buffers } of await scienceFixtures("numpy")) {
    const protocol = Number(/\.p(\d)$/.exec(name)?.[1]);
    if (kind !== "pickle" || buffers.length > 0) continue;
    const value = loads(bytes, { floats: "exact", dicts: "map" });
    all++;
    const written = dumps(value, { protocol });
    if (written.toBase64() === bytes.toBase64()) same++;
  }
  // The others share texts otherwise, or were not contiguous.
  assert(same / all > 0.9, `${same} of ${all}`);
});

Deno.test("NdArray takes typed arrays, shapes and dtypes", () => {
  const array = new NdArray(new Int16Array([1, 2, 3, 4, 5, 6]), {
    shape: [2, 3],
  });
  assertEquals(array.dtype.name, "int16");
  assertEquals([array.ndim, array.size, array.order], [2, 6, "C"]);
  assertEquals(array.get(1, 0), 4);
  assertEquals(array.get(-1, -1), 6);
  assertEquals(array.toArray(), [[1, 2, 3], [4, 5, 6]]);
  assertEquals(array.summary(), "int16 2 x 3");
  assertEquals(String(array), "ndarray(int16 2 x 3)");
  const fortran = new NdArray(array.data, { shape: [2, 3], order: "F" });
  assertEquals(fortran.toArray(), [[1, 3, 5], [2, 4, 6]]);
  assertEquals([...fortran.values()], [1, 3, 5, 2, 4, 6]);
  assertEquals(
    new Int16Array(fortran.toBytes().slice().buffer),
    new Int16Array([1, 3, 5, 2, 4, 6]),
  );
  const objects = new NdArray([1, "a"]);
  assertEquals(objects.dtype.kind, "O");
  assertEquals(
    new NdArray(new Float64Array([1, 2]), { dtype: "c16" }).toArray(),
    [new Complex(1, 2)],
  );
});

Deno.test("NdArray refuses what does not fit", () => {
  const data = new Float64Array(6);
  assertThrows(() => new NdArray(data, { shape: [7] }), RangeError);
  assertThrows(() => new NdArray(data, { shape: [-6] }), RangeError);
  assertThrows(() => new NdArray(data, { dtype: "O" }), TypeError);
  assertThrows(() => new NdArray([1], { dtype: "f8" }), TypeError);
  const array = new NdArray(data, { shape: [2, 3] });
  assertThrows(() => array.get(2, 0), RangeError);
  assertThrows(() => array.get(0), RangeError);
  assertThrows(() => array.get(0.5, 0), RangeError);
});

Deno.test("NdArray looks into the bytes where they lie", () => {
  const array = new NdArray(new Float64Array([1, 2, 3]));
  const back = loads(dumps(array)) as NdArray;
  assertInstanceOf(back.data, Float64Array);
  assertEquals(back.data, new Float64Array([1, 2, 3]));
  (back.data as Float64Array)[1] = 9;
  assertEquals(back.get(1), 9);
  assertEquals((loads(dumps(back)) as NdArray).toArray(), [1, 9, 3]);
});

Deno.test("NdArray keeps changes of big-endian numbers", () => {
  const array = new NdArray(new Uint8Array([0, 1, 0, 2]), { dtype: ">i2" });
  assertEquals(array.data, new Int16Array([1, 2]));
  (array.data as Int16Array)[0] = 3;
  assertEquals(array.bytes, new Uint8Array([0, 3, 0, 2]));
  assertEquals((loads(dumps(array)) as NdArray).toArray(), [3, 2]);
  assertEquals((loads(dumps(array)) as NdArray).dtype.str, ">i2");
});

Deno.test("out-of-band buffers are used where they lie", () => {
  const array = new NdArray(new Float64Array([1, 2, 3]));
  const buffers: Uint8Array[] = [];
  const bytes = dumps(array, {
    protocol: 5,
    bufferCallback: (buffer: Uint8Array) => void buffers.push(buffer),
  });
  assertEquals(buffers.length, 1);
  const back = loads(bytes, { buffers }) as NdArray;
  assertEquals(back.toArray(), [1, 2, 3]);
  assertEquals((back.data as Float64Array).buffer, buffers[0]!.buffer);
});

Deno.test("numpy 2.3's order K is a transposed array", () => {
  const bytes = dumps(
    new PyObject(new Global("numpy._core.numeric", "_frombuffer"), [
      new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
      dtypePickle("u1", 3, "|", null, null, null, -1, -1, 0),
      Tuple.of(2, 3, 2),
      "K",
      Tuple.of(1, 0, 2),
    ], { via: "reduce" }),
  );
  const array = loads(bytes) as NdArray;
  assertEquals(array.shape, [3, 2, 2]);
  assertEquals(array.toArray(), [
    [[1, 2], [7, 8]],
    [[3, 4], [9, 10]],
    [[5, 6], [11, 12]],
  ]);
  for (const protocol of [2, 5]) {
    const back = loads(dumps(array, { protocol })) as NdArray;
    assertEquals(back.toArray(), array.toArray());
  }
});

Deno.test("arrays that lie about their size are not made", () => {
  const lies = [
    [1, Tuple.of(3), F8, false, new Uint8Array(16)],
    [1, Tuple.of(2 ** 40, 2 ** 40), F8, false, new Uint8Array(8)],
    [1, Tuple.of(2n ** 70n), F8, false, new Uint8Array(8)],
    [1, Tuple.of(-1), F8, false, new Uint8Array(8)],
    [1, Tuple.of(2), F8, false, [1, 2]],
    [1, Tuple.of(1), "f8", false, new Uint8Array(8)],
    [1, Tuple.from(new Array(65).fill(1)), F8, false, new Uint8Array(8)],
    [1],
  ];
  for (const lie of lies) {
    const array = loads(arrayPickle(...lie));
    assertInstanceOf(array, NdArray);
    assertEquals(array.size, 0);
    // It goes back as it came.
    assertInstanceOf(attributesOf(array), Tuple);
    assertInstanceOf(attributesOf(loads(dumps(array))), Tuple);
  }
});

Deno.test("arrays of nothing promise no end of arrays", () => {
  const dtype = dtypePickle("V0", 3, "|", null, null, null, 0, 1, 0);
  const shapes = [[2 ** 50], [2 ** 30, 0], [2 ** 20, 2 ** 20]];
  for (const shape of shapes) {
    const array = loads(
      arrayPickle(1, Tuple.from(shape), dtype, false, new Uint8Array(0)),
    ) as NdArray;
    assertEquals(array.shape, shape);
    assertThrows(() => array.toArray(), LimitError);
    assertThrows(() => toJson(array, { types: "plain" }), LimitError);
  }
});

Deno.test("dtypes within themselves are refused", () => {
  const dtype = new PyObject(
    new Global("numpy", "dtype"),
    ["V8", false, true],
    {
      via: "reduce",
    },
  );
  dtype.state = Tuple.of<unknown>(
    3,
    "|",
    null,
    Tuple.of("a"),
    { a: Tuple.of<unknown>(dtype, 0) },
    8,
    1,
    0,
  );
  const back = loads(dumps(dtype));
  assert(back instanceof DType);
  assertEquals(back.fields, undefined);
});

Deno.test("dtypes of dtypes of dtypes are bounded", () => {
  let dtype = dtypePickle("i1", 3, "|", null, null, null, -1, -1, 0);
  for (let i = 0; i < 100; i++) {
    dtype = dtypePickle(
      "V1",
      3,
      "|",
      null,
      Tuple.of("a", "b"),
      { a: Tuple.of<unknown>(dtype, 0), b: Tuple.of<unknown>(dtype, 0) },
      1,
      1,
      0,
    );
  }
  assert(loads(dumps(dtype)) instanceof DType);
});

Deno.test("DType knows numpy's names", () => {
  const names = {
    "<f8": ["float64", 8, "f"],
    float32: ["float32", 4, "f"],
    "?": ["bool", 1, "b"],
    ">i4": ["int32", 4, "i"],
    S5: ["bytes40", 5, "S"],
    "<U3": ["str96", 12, "U"],
    "M8[ns]": ["datetime64[ns]", 8, "M"],
    "m8[25s]": ["timedelta64[25s]", 8, "m"],
    "datetime64[D]": ["datetime64[D]", 8, "M"],
    O: ["object", 8, "O"],
    V7: ["void56", 7, "V"],
  } as const;
  for (const [text, [name, itemsize, kind]] of Object.entries(names)) {
    const dtype = DType.of(text);
    assertEquals([dtype.name, dtype.itemsize, dtype.kind], [
      name,
      itemsize,
      kind,
    ]);
  }
  for (const text of ["", "f3", "x8", "i16", "M8[q]", "f8[s]", "__proto__"]) {
    assertThrows(() => DType.of(text), TypeError);
  }
  const record = DType.struct([["a", "i4"], ["b", "f8", [2]]]);
  assertEquals(record.itemsize, 20);
  assertEquals(String(record), "[('a', '<i4'), ('b', '<f8', (2,))]");
});

Deno.test("records have any names", () => {
  const dtype = DType.struct([["__proto__", "i1"], ["a", "i1"]]);
  const array = new NdArray(new Uint8Array([1, 2]), { dtype });
  const [record] = array.toArray() as object[];
  assertEquals(Object.entries(record!), [["__proto__", 1], ["a", 2]]);
  assertEquals(Object.getPrototypeOf(record), Object.prototype);
  assertEquals(
    toJson(array, { types: "plain" }),
    '[{"__proto__": 1, "a": 2}]',
  );
});

Deno.test("a MaskedArray hides elements", () => {
  const array = new MaskedArray(new Float64Array([1, 2.5, 3]), {
    mask: [false, true, false],
  });
  assertEquals(array.toArray(), [1, null, 3]);
  assertEquals(array.unmasked().toArray(), [1, 2.5, 3]);
  const back = loads(dumps(array)) as MaskedArray;
  assertInstanceOf(back, MaskedArray);
  assertEquals(back.toArray(), [1, null, 3]);
  assertEquals(toJson(back, { types: "plain" }), "[1.0, null, 3.0]");
});

Deno.test("a NumpyScalar counts as its value", () => {
  const scalar = loads(dumps(NumpyScalar.of(1.5, "float32"))) as NumpyScalar;
  assertInstanceOf(scalar, NumpyScalar);
  assertEquals(scalar.type, "float32");
  assertEquals(Number(scalar) + 1, 2.5);
  assertEquals(JSON.stringify({ scalar }), '{"scalar":1.5}');
  assertEquals(toJson(NumpyScalar.of(2, "f8"), { types: "plain" }), "2.0");
  assertEquals(toJson(NumpyScalar.of(2, "i8"), { types: "plain" }), "2");
  assertEquals(String(NumpyScalar.of(0.1, "f4")), "0.1");
  assertEquals(String(NumpyScalar.of(0.1, "f2")), "0.1");
  assertEquals(NumpyScalar.of(2n ** 63n - 1n, "i8").value, 2n ** 63n - 1n);
  assertEquals(NumpyScalar.of(-1, "u2").value, 65535);
  assertEquals(NumpyScalar.of(65504, ">f2").value, 65504);
  assertEquals(
    new PyDict<unknown, string>([[NumpyScalar.of(1, "i4"), "a"]]).get(1),
    "a",
  );
});

Deno.test("Datetime64 and Timedelta64 print in ISO 8601", () => {
  const times: [bigint, ConstructorParameters<typeof Datetime64>[1], string][] =
    [
      [0n, "Y", "1970"],
      [-1n, "M", "1969-12"],
      [2n, "W", "1970-01-15"],
      [-719529n, "D", "-001-12-31"],
      [5n, "h", "1970-01-01T05"],
      [-1n, "m", "1969-12-31T23:59"],
      [-1n, "ns", "1969-12-31T23:59:59.999999999"],
      [1n, "as", "1970-01-01T00:00:00.000000000000000001"],
      [2n, { unit: "s", count: 25 }, "1970-01-01T00:00:50"],
      [-(2n ** 63n), "D", "NaT"],
    ];
  for (const [ticks, step, text] of times) {
    assertEquals(String(new Datetime64(ticks, step)), text);
  }
  assertEquals(String(new Timedelta64(-1500n, "ms")), "PT-1.5S");
  assertEquals(String(new Timedelta64(3n, "M")), "P3M");
  assertEquals(new Datetime64(1n, "D").toDate(), new Date("1970-01-02"));
  assertEquals(new Datetime64(-(2n ** 63n), "D").toJSON(), null);
  const back = loads(dumps(new Datetime64(7n, "us"))) as NumpyScalar;
  assertEquals(back.value, new Datetime64(7n, "us"));
});

Deno.test("plain JSON keeps floats apart from ints", () => {
  const text = toJson([
    new NdArray(new Float32Array([1, 0.5])),
    new NdArray(new Int32Array([1, 2])),
    new NdArray(new Uint8Array([0, 1]), { dtype: "?" }),
    new NdArray(new BigInt64Array([2n ** 62n])),
    new NdArray(new BigInt64Array([0n]), { dtype: "M8[D]" }),
  ], { types: "plain" });
  assertEquals(
    text,
    '[[1.0, 0.5], [1, 2], [false, true], [4611686018427387904], ["1970-01-01"]]',
  );
});

Deno.test("a hundred megabytes are read without a loop", () => {
  const array = new NdArray(new Float64Array(12_500_000));
  for (const protocol of [4, 5]) {
    const bytes = dumps(array, { protocol });
    const start = performance.now();
    const back = loads(bytes) as NdArray;
    assertEquals(back.size, 12_500_000);
    // They are looked at where they lie; Python takes 100 ms to copy them.
    assert(performance.now() - start < 100);
    assertEquals(back.bytes.buffer, bytes.buffer);
    assertEquals((back.data as Float64Array).length, 12_500_000);
    assert(performance.now() - start < 1000);
  }
});

/** As Python 2.7 with numpy writes an array, protocol 2. */
function python2(data: Uint8Array, dtype: string): Uint8Array {
  const latin1 = String.fromCharCode(...data);
  const text = "\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\n" +
    "ndarray\nq\x02K\x00\x85q\x03U\x01bq\x04\x87q\x05Rq\x06(K\x01K\x02\x85" +
    `cnumpy\ndtype\nq\x07U${String.fromCharCode(dtype.length)}${dtype}q\x08` +
    "K\x00K\x01\x87q\tRq\n(K\x03U\x01<q\x0bNNNJ\xff\xff\xff\xff" +
    "J\xff\xff\xff\xffK\x00tb\x89" +
    `U${String.fromCharCode(data.length)}${latin1}q\x0ctb.`;
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("arrays of Python 2 are read under any encoding", () => {
  const cases: [number[], string][] = [
    [[0, 0], "f8"],
    [[1.5, -2.5], "f8"],
    [[1, 127], "i4"],
    // Bytes that happen to be UTF-8.
    [[0x65, 0xa9c3], "u2"],
  ];
  for (const [values, dtype] of cases) {
    const array = new NdArray(
      dtype === "f8"
        ? new Float64Array(values)
        : dtype === "i4"
        ? new Int32Array(values)
        : new Uint16Array(values),
    );
    const bytes = python2(array.bytes, dtype);
    for (const encoding of [undefined, "latin1", "bytes"] as const) {
      const back = loads(bytes, { encoding });
      assertInstanceOf(back, NdArray);
      assertEquals(back.toArray(), values);
      assertEquals(back.dtype.str, `<${dtype}`);
      assertEquals((loads(dumps(back)) as NdArray).toArray(), values);
    }
  }
});

const TYPED: [NdArray, string][] = [
  [new NdArray(new Int8Array([-1, 2])), "np.array([-1, 2], 'i1')"],
  [new NdArray(new Uint8Array([1, 255])), "np.array([1, 255], 'u1')"],
  [
    new NdArray(new Uint8Array([1, 0]), { dtype: "?" }),
    "np.array([True, False])",
  ],
  [new NdArray(new Int16Array([-1, 2])), "np.array([-1, 2], 'i2')"],
  [new NdArray(new Uint16Array([1, 2])), "np.array([1, 2], 'u2')"],
  [new NdArray(new Int32Array([-1, 2])), "np.array([-1, 2], 'i4')"],
  [new NdArray(new Uint32Array([1, 2])), "np.array([1, 2], 'u4')"],
  [
    new NdArray(new BigInt64Array([-(2n ** 63n)])),
    "np.array([-2**63], 'i8')",
  ],
  [
    new NdArray(new BigUint64Array([2n ** 64n - 1n])),
    "np.array([2**64 - 1], 'u8')",
  ],
  [new NdArray(new Float32Array([0.1, NaN])), "np.array([0.1, np.nan], 'f4')"],
  [new NdArray(new Float64Array([0.1, -0])), "np.array([0.1, -0.0])"],
  [
    new NdArray(new Uint16Array([0x3c00]), { dtype: "f2" }),
    "np.array([1], 'f2')",
  ],
  [
    new NdArray(new Float64Array([1, 2]), { dtype: "c16" }),
    "np.array([1 + 2j])",
  ],
  [
    new NdArray(new Float32Array([1, 2]), { dtype: "c8" }),
    "np.array([1 + 2j], 'c8')",
  ],
  [
    new NdArray(new BigInt64Array([1n, -(2n ** 63n)]), { dtype: "M8[s]" }),
    "np.array(['1970-01-01T00:00:01', 'NaT'], 'M8[s]')",
  ],
  [
    new NdArray(new BigInt64Array([3n]), { dtype: "m8[25us]" }),
    "np.array([3], 'm8[25us]')",
  ],
  [
    new NdArray(new TextEncoder().encode("abc\0"), { dtype: "S2" }),
    "np.array([b'ab', b'c'])",
  ],
  [
    new NdArray(new Uint32Array([104, 0x1f600, 105, 0]), { dtype: "<U2" }),
    "np.array(['h\\U0001f600', 'i'])",
  ],
  [
    new NdArray([1, "a", null, [2.5]]),
    "np.array([1, 'a', None, [2.5]], object)",
  ],
  [
    new NdArray(new Int32Array([1, 2, 3, 4, 5, 6]), {
      shape: [2, 3],
      order: "F",
    }),
    "np.asfortranarray(np.array([[1, 3, 5], [2, 4, 6]], 'i4'))",
  ],
  [new NdArray(new Int8Array(0), { shape: [2, 0] }), "np.zeros((2, 0), 'i1')"],
  [new NdArray(new Float64Array([1]), { shape: [] }), "np.array(1.0)"],
  [
    new NdArray(new Uint8Array([0, 1, 0, 2]), { dtype: ">i2" }),
    "np.array([1, 2], '>i2')",
  ],
  [
    new NdArray(new Uint8Array([1, 0, 0, 128, 63]), {
      dtype: DType.struct([["a", "i1"], ["b", "f4"]]),
    }),
    "np.array([(1, 1.0)], [('a', 'i1'), ('b', 'f4')])",
  ],
  [
    new NdArray(new Uint8Array([1, 2, 3]), {
      dtype: DType.struct([["a", "i1"], ["b", "u1", [2]]]),
    }),
    "np.array([(1, [2, 3])], [('a', 'i1'), ('b', 'u1', (2,))])",
  ],
  [
    new MaskedArray(new Int32Array([1, 2]), { mask: [1, 0] }),
    "np.ma.array(np.array([1, 2], 'i4'), mask=[1, 0])",
  ],
];

Deno.test({
  name: "live numpy reads what Brine writes",
  ignore: !hasPythons,
  fn: async () => {
    const questions: Question[] = [];
    for (const protocol of [0, 1, 2, 3, 4, 5]) {
      for (const [array, code] of TYPED) {
        // Below protocol 5 numpy itself makes these little-endian.
        if (array.dtype.byteOrder === ">" && protocol < 5) continue;
        questions.push({
          name: `${code}, protocol ${protocol}`,
          bytes: dumps(array, { protocol }),
          same: code,
        });
      }
      for (const fixture of await scienceFixtures("numpy")) {
        const { kind, bytes, buffers, name } = fixture;
        if (kind !== "pickle" || buffers.length > 0) continue;
        if (/^array >/.test(name) && !name.endsWith(`.p${protocol}`)) continue;
        questions.push({
          name: `${name}, protocol ${protocol}`,
          bytes: dumps(loads(bytes, { floats: "exact", dicts: "map" }), {
            protocol,
          }),
          same: bytes,
        });
      }
    }
    const { problems, answered } = await ask("numpy", questions);
    assertEquals(problems, []);
    console.log(`${answered} answers`);
  },
});
