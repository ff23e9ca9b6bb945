import { constants, crc32, deflateRawSync } from "node:zlib";
import type { DType, Tensor } from "@cotangent/autograd";
import { FormatError, fromTypedArray, tensor, ValueError, zeros } from "@cotangent/autograd";
import {
  readNpy,
  readNpz,
  readSafetensors,
  type StateDict,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from "@cotangent/nn/files";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

/** A tensor of any dtype and bits. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom<DType>("float32", "float64", "int32", "bool"),
    shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
    seed: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 40 }),
  })
  .map(({ dtype, shape, seed }) => {
    const data = new arrays[dtype](shape.reduce((a, b) => a * b, 1));
    const bytes = new Uint8Array(data.buffer);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = dtype === "bool" ? seed[i % seed.length]! & 1 : seed[i % seed.length]! ^ i;
    return fromTypedArray(data, shape);
  });

const anyName = fc.string({ unit: "grapheme", maxLength: 8 }).filter((name) => !name.startsWith("__"));
const anyState: fc.Arbitrary<StateDict> = fc.dictionary(anyName, anyTensor, { maxKeys: 5 });

/** What says everything of a tensor: its bits too. */
function bits(x: Tensor): string {
  const { buffer, byteOffset, byteLength } = x.toTypedArray();
  return `${x.dtype} [${x.shape.join(", ")}] ${Buffer.from(buffer, byteOffset, byteLength).toString("hex")}`;
}
const allBits = (state: StateDict): object =>
  Object.fromEntries(Object.entries(state).map(([name, x]) => [name, bits(x)]));

interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: Uint8Array;
  /** Instead of the size that it has. */
  readonly size?: number;
  readonly flags?: number;
  readonly method?: number;
}

/** A zip archive, written independently of ours. */
function archive(...members: readonly Member[]): Buffer {
  const number = (value: number, bytes: number): Buffer => {
    const out = Buffer.alloc(bytes);
    out.writeUIntLE(value, 0, bytes);
    return out;
  };
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  for (const { name, data, deflated, size = data.length, flags = 0, method = deflated ? 8 : 0 } of members) {
    const stored = deflated ?? data;
    const title = Buffer.from(name);
    const begin = Buffer.concat(parts).length;
    const fields = [number(20, 2), number(flags, 2), number(method, 2), number(0, 4), number(crc32(data), 4)];
    fields.push(number(stored.length, 4), number(size, 4), number(title.length, 2), number(0, 2));
    parts.push(number(0x04034b50, 4), ...fields, title, Buffer.from(stored));
    directory.push(
      number(0x02014b50, 4),
      number(20, 2),
      ...fields,
      Buffer.alloc(10),
      number(begin, 4),
      title,
    );
  }
  const [start, length] = [Buffer.concat(parts).length, Buffer.concat(directory).length];
  const count = number(members.length, 2);
  const ending = [number(0x06054b50, 4), Buffer.alloc(4), count, count, number(length, 4), number(start, 4)];
  return Buffer.concat([...parts, ...directory, ...ending, Buffer.alloc(2)]);
}

/** A safetensors file with any header and so many bytes of data. */
function framed(header: string, data = 0): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(data)]);
}

/** An .npy file with any header and so many bytes of data. */
function headed(header: string, data = 0): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    length,
    Buffer.from(header),
    Buffer.alloc(data),
  ]);
}

/** What is in between comes through unharmed, or is refused by name: never anything else. */
function readsOrRefuses<T>(read: (bytes: Uint8Array) => T, bytes: Uint8Array): T | null {
  try {
    return read(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}

const formats: [string, (state: StateDict) => Uint8Array, (bytes: Uint8Array) => StateDict][] = [
  ["safetensors", (state) => writeSafetensors(state), (bytes) => readSafetensors(bytes).tensors],
  ["npz", writeNpz, (bytes) => readNpz(bytes)],
  ["npy", (state) => writeNpy(Object.values(state)[0] ?? zeros([2])), (bytes) => ({ x: readNpy(bytes) })],
];

describe.each(formats)("%s", (format, write, read) => {
  test("gives back the same bits", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const given = format === "npy" ? { x: Object.values(state)[0] ?? zeros([2]) } : state;
        expect(allBits(read(write(state)))).toEqual(allBits(given));
      }),
    );
  });

  test("is read wherever it lies in memory", () => {
    const bytes = write({ a: tensor([1, 2, 3]), b: tensor([true]) });
    for (let shift = 1; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      expect(allBits(read(moved))).toEqual(allBits(read(bytes)));
    }
  });

  test("is the same file for the same tensors", () => {
    const state = { b: tensor([1]), a: tensor([2]) };
    expect(write(state)).toEqual(write(state));
  });

  test("is refused wherever it is cut short", () => {
    const bytes = write({ weight: tensor([[1, 2]]), bias: tensor([3]) });
    for (let end = 0; end < bytes.length; end++)
      expect(() => read(bytes.subarray(0, end))).toThrow(FormatError);
    expect(() => read(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(FormatError);
  });

  test("of any bytes is read or refused", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readsOrRefuses(read, bytes)));
  });

  test("with bytes changed, left out or put in is read or refused", () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      remove: fc.nat({ max: 3 }),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(anyState, fc.array(change, { minLength: 1, maxLength: 4 }), (state, changes) => {
        let bytes: Uint8Array = write(state);
        for (const { at, remove, insert } of changes) {
          const place = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + remove)]);
        }
        const tensors = readsOrRefuses(read, bytes);
        // An element takes a byte at least: nothing comes of nothing.
        for (const x of Object.values(tensors ?? {})) expect(x.size).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  test("refuses to write what is no tensor", () => {
    expect(() => write({ x: 1 as unknown as Tensor })).toThrow(ValueError);
  });
});

describe("a safetensors file", () => {
  const refused: [string, string, number, string][] = [
    ["no object", "[]", 0, 'the header begins with "{", at byte 8'],
    ["no JSON", '{"a":', 0, "the header is not JSON in UTF-8"],
    ["a name twice", '{"a":{},"a":{}}', 0, 'the header has "a" twice'],
    ["a name twice, once escaped", '{"a":{},"\\u0061":{}}', 0, 'the header has "a" twice'],
    ["a field twice", '{"a":{"dtype":"F32","dtype":"F64"}}', 0, 'the header has "dtype" twice'],
    ["an entry that is none", '{"a":3}', 0, '"a": has no dtype, shape and data_offsets'],
    ["a dtype that it does not know", entry("F8_E4M3", [1], 0, 1), 1, '"a": dtype "F8_E4M3" is not read'],
    ["no shape", '{"a":{"dtype":"F32"}}', 0, '"a": has no shape'],
    [
      "a shape of fractions",
      entry("F32", [1.5], 0, 6),
      6,
      '"a": the shape is [1.5]; sizes are whole numbers',
    ],
    ["a negative size", entry("F32", [-1], 0, 4), 4, '"a": the shape is [-1]'],
    ["too large a shape", entry("F32", [2 ** 31], 0, 2 ** 33), 4, '"a": shape [2147483648] is too large'],
    ["a shape that overflows", entry("U8", Array(40).fill(2 ** 52), 0, 0), 0, "is too large"],
    ["a shape that overflows to 0", entry("U8", [0, 2 ** 52, 2 ** 52], 0, 0), 0, "is too large"],
    ["too many axes", entry("U8", Array(65).fill(1), 0, 1), 1, '"a": the shape has 65 axes'],
    ["offsets of another size", entry("F32", [2], 0, 4), 4, "are 0 and 4; F32 of shape [2] takes 8 bytes"],
    ["offsets before the data", entry("F32", [1], -4, 0), 4, "the data_offsets are -4 and 0"],
    [
      "a single offset",
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}',
      4,
      '"a": has no data_offsets',
    ],
    [
      "a hole",
      entry("U8", [1], 1, 2),
      2,
      '"a": begins at 1, and the header ends at 0; tensors lie one behind',
    ],
    [
      "an overlap",
      `${entry("U8", [2], 0, 2).slice(0, -1)},"b":${entry("U8", [2], 1, 3).slice(5)}`,
      3,
      "overlapping",
    ],
    ["data that are missing", entry("U8", [3], 0, 3), 2, '"a" ends at 3, and there are 2 bytes of data'],
    ["data that nothing describes", "{}", 1, "the header ends at 0, and there are 1 bytes of data"],
    ["metadata that are no text", '{"__metadata__":{"a":1}}', 0, 'the metadata say 1 of "a"'],
    ["a prototype", entry("U8", [1], 0, 1, "__proto__"), 1, "no tensor may be called __proto__"],
    ["metadata with a prototype", '{"__metadata__":{"__proto__":"x"}}', 0, 'of "__proto__"'],
  ];
  function entry(dtype: string, shape: readonly number[], begin: number, end: number, name = "a"): string {
    const fields = JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
    return `{"${name}":${fields}}`;
  }

  test.each(refused)("with %s is refused", (_, header, data, message) => {
    expect(() => readSafetensors(framed(header, data))).toThrow(FormatError);
    expect(() => readSafetensors(framed(header, data))).toThrow(message);
  });

  test("with a header beyond its end, or of no sensible size, is refused", () => {
    const bytes = Buffer.from(framed("{}"));
    bytes.writeBigUInt64LE(3n);
    expect(() => readSafetensors(bytes)).toThrow("the header has 3 bytes and the file 2 after its length");
    bytes.writeBigUInt64LE(2n ** 63n);
    expect(() => readSafetensors(bytes)).toThrow("is beyond the limit of 100000000");
  });

  test("is told from what torch.save and numpy.savez write", () => {
    expect(() => readSafetensors(writeNpz({ x: tensor([1]) }))).toThrow("read an .npz file with readNpz");
  });

  test("with numbers that do not fit says which", () => {
    const large = Buffer.from(framed(entry("I64", [2], 0, 16), 16));
    large.writeBigInt64LE(2n ** 31n, large.length - 8);
    expect(() => readSafetensors(large)).toThrow(
      '"a": element 1 is 2147483648 (int64), which int32 cannot hold',
    );
    const truth = Buffer.from(framed(entry("BOOL", [2], 0, 2), 2));
    truth[truth.length - 1] = 2;
    expect(() => readSafetensors(truth)).toThrow('"a": element 1 is 2; a bool is 0 or 1');
  });

  test("of any header is read or refused", () => {
    const size = fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300));
    const anyEntry = fc.record(
      {
        dtype: fc.constantFrom("U8", "F16", "BOOL", "F32", "X"),
        shape: fc.oneof(fc.array(size, { maxLength: 3 }), fc.json()),
        data_offsets: fc.oneof(fc.array(size, { minLength: 2, maxLength: 2 }), fc.json()),
      },
      { requiredKeys: [] },
    );
    const anyKey = fc.constantFrom("a", "b", "__metadata__", "__proto__", "constructor", "toString");
    const header = fc.oneof(
      fc.json(),
      fc.dictionary(anyKey, fc.oneof(anyEntry, fc.object())).map((x) => JSON.stringify(x)),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 12 }), (text, data) => {
        const file = readsOrRefuses(readSafetensors, framed(text, data));
        if (file) expect(Object.getPrototypeOf(file.tensors)).toBe(Object.prototype);
      }),
      { numRuns: 1000 },
    );
  });

  test("with a million names or brackets is read or refused in time", () => {
    const names = Array.from(
      { length: 100_000 },
      (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    );
    expect(Object.keys(readSafetensors(framed(`{${names.join()}}`)).tensors).length).toBe(100_000);
    expect(() => readSafetensors(framed(`{"a":${"[".repeat(1e6)}`))).toThrow(FormatError);
    expect(() => readSafetensors(framed(`{"a":[${"0,".repeat(1e6)}0]}`))).toThrow(FormatError);
    expect(() => readSafetensors(framed(`{"${"\\\\".repeat(1e6)}":0}`))).toThrow(FormatError);
  });

  test("aligns its tensors and keeps metadata", () => {
    const bytes = writeSafetensors(
      { a: tensor([true]), b: tensor([1], { dtype: "float64" }) },
      { by: "cotangent" },
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: { by: "cotangent" },
      a: { dtype: "BOOL", shape: [1], data_offsets: [8, 9] },
      b: { dtype: "F64", shape: [1], data_offsets: [0, 8] },
    });
    expect(readSafetensors(bytes).metadata).toEqual({ by: "cotangent" });
  });

  test("is not written with names or metadata that would not be read", () => {
    const x = tensor([1]);
    expect(() => writeSafetensors({ __metadata__: x })).toThrow("no tensor may be called __metadata__");
    expect(() => writeSafetensors(JSON.parse('{"__proto__":1}'))).toThrow(ValueError);
    expect(() => writeSafetensors({ x }, { a: 1 as unknown as string })).toThrow('the metadata say 1 of "a"');
  });
});

describe("16-bit floats", () => {
  const read = (dtype: string, halves: Uint16Array): Float32Array => {
    const header = JSON.stringify({
      x: { dtype, shape: [halves.length], data_offsets: [0, 2 * halves.length] },
    });
    const bytes = Buffer.from(framed(header, 2 * halves.length));
    halves.forEach((half, i) => void bytes.writeUInt16LE(half, bytes.length - 2 * (halves.length - i)));
    return readSafetensors(bytes).tensors.x!.toTypedArray() as Float32Array;
  };
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
  const value = (bits: number, exponents: number, fractions: number): number => {
    const [sign, fraction] = [bits >> 15 ? -1 : 1, bits & (2 ** fractions - 1)];
    const [exponent, bias] = [(bits >> fractions) & (2 ** exponents - 1), 2 ** (exponents - 1) - 1];
    if (exponent === 2 ** exponents - 1) return fraction ? NaN : sign * Infinity;
    return exponent === 0
      ? sign * fraction * 2 ** (1 - bias - fractions)
      : sign * (1 + fraction / 2 ** fractions) * 2 ** (exponent - bias);
  };

  test.each([
    ["F16", 5, 10],
    ["BF16", 8, 7],
  ])("all %s widen to their value", (dtype, exponents, fractions) => {
    const widened = read(dtype, all);
    const wrong = all.filter((half) => !Object.is(widened[half], value(half, exponents, fractions)));
    expect([...wrong]).toEqual([]);
  });
});

describe("an .npy file", () => {
  const dict = (descr: string, shape: string, order = "False"): string =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

  test("is written as NumPy writes it", () => {
    const bytes = writeNpy(tensor([1, 2, 3]));
    expect(bytes.length).toBe(128 + 12);
    expect(new TextDecoder("latin1").decode(bytes.subarray(10, 128)).trimEnd()).toBe(
      dict("'<f4'", "(3,)").trimEnd(),
    );
    expect(bytes[127]).toBe(10);
    expect(new TextDecoder().decode(writeNpy(tensor(2)))).toContain("'shape': (), }");
  });

  const refused: [string, Uint8Array, string][] = [
    ["another beginning", Buffer.from("PK\x03\x04"), "an .npy file begins with \\x93NUMPY"],
    [
      "another version",
      Buffer.from("\x93NUMPY\x04\x00\x00\x00", "latin1"),
      "version 4 of the format is not read",
    ],
    ["objects", headed(dict("'|O'", "(1,)"), 8), "holds pickled Python objects"],
    ["text", headed(dict("'<U5'", "(1,)"), 20), 'dtype "<U5" is not read'],
    ["no order of bytes", headed(dict("'|f4'", "(1,)"), 4), 'dtype "|f4" is not read'],
    ["a missing key", headed("{'descr': '<f4', 'shape': (1,)}", 4), "the header does not have descr"],
    [
      "a key too many",
      headed("{'a': True, 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4),
      "and only these",
    ],
    ["a key twice", headed("{'descr': '<f4', 'descr': '<f4'}"), 'the header has "descr" twice'],
    ["a call", headed(dict("__import__('os')", "()"), 4), "the header has __import__ where a value belongs"],
    ["no dictionary", headed("('<f4', False)"), "the header has ( where { belongs"],
    ["something behind", headed(`${dict("'<f4'", "()")} 1`, 4), "the header has 1 where a end belongs"],
    ["a negative size", headed(dict("'<f4'", "(-1,)"), 4), "the header is no Python dictionary"],
    ["too large a shape", headed(dict("'|u1'", "(99999999999,)"), 4), "is too large"],
    ["too large a number", headed(dict("'|u1'", `(${"9".repeat(400)},)`), 4), "sizes are whole numbers"],
    [
      "too few bytes",
      headed(dict("'<f4'", "(2,)"), 4),
      "4 bytes of data behind byte 68, and <f4 of shape [2] takes 8",
    ],
    ["too many bytes", headed(dict("'<f4'", "(2,)"), 9), "9 bytes of data"],
    ["a header beyond its end", headed(dict("'<f4'", "(2,)")).subarray(0, 30), "the file is cut short"],
  ];
  test.each(refused)("with %s is refused", (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(FormatError);
    expect(() => readNpy(bytes)).toThrow(message);
  });

  test("of any header is read or refused", () => {
    const part = fc.constantFrom(
      "{",
      "}",
      "(",
      ")",
      ",",
      ":",
      "'descr'",
      "'<f4'",
      "'shape'",
      "True",
      "1",
      "'",
      " ",
      "\\",
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 20 }),
        (parts) => void readsOrRefuses(readNpy, headed(parts.join(""), 4)),
      ),
      { numRuns: 1000 },
    );
  });
});

describe("an .npz file", () => {
  const data = writeNpy(tensor([1, 2]));

  test("deflated in any way gives back the same bytes", () => {
    const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.constantFrom(1, 2, 3, 250), { maxLength: 400 }).map((x) => Uint8Array.from(x)),
      fc
        .record({ length: fc.nat({ max: 70_000 }), period: fc.integer({ min: 1, max: 40_000 }) })
        .map(({ length, period }) =>
          Uint8Array.from({ length }, (_, i) => Math.imul(i % period, 0x9e3779b1) >>> 24),
        ),
    );
    const options = fc.record({
      level: fc.integer({ min: 0, max: 9 }),
      strategy: fc.constantFrom(Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE),
    });
    fc.assert(
      fc.property(anyBytes, options, (bytes, how) => {
        const file = writeNpy(fromTypedArray(Int32Array.from(bytes), [bytes.length]));
        const zip = archive({ name: "x.npy", data: file, deflated: deflateRawSync(file, how) });
        expect(bits(readNpz(zip).x!)).toBe(bits(readNpy(file)));
      }),
    );
  });

  test("with damaged compressed bytes is refused", () => {
    const file = writeNpy(
      fromTypedArray(
        Float32Array.from({ length: 60 }, (_, i) => Math.sqrt(i)),
        [60],
      ),
    );
    const deflated = deflateRawSync(file);
    fc.assert(
      fc.property(fc.nat({ max: deflated.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = Uint8Array.from(deflated);
        damaged[at]! ^= mask;
        const zip = archive({ name: "x.npy", data: file, deflated: damaged });
        const tensors = readsOrRefuses(readNpz, zip);
        // Unused bits may differ; nothing else.
        if (tensors) expect(bits(tensors.x!)).toBe(bits(readNpy(file)));
      }),
      { numRuns: 500 },
    );
  });

  const bomb = (size: number): Buffer => {
    const zero = new Uint8Array(2 ** 20);
    return archive({ name: "x.npy", data: zero, deflated: deflateRawSync(zero), size });
  };
  const good = { name: "x.npy", data };
  // The second file lies in the data of the first.
  const inner = archive({ name: "y.npy", data });
  const overlapping = archive(
    { name: "x.npy", data: inner.subarray(0, inner.indexOf("PK\x01\x02")) },
    { name: "y.npy", data },
  );
  overlapping.writeUInt32LE(35, overlapping.lastIndexOf("PK\x01\x02") + 42);
  const renamed = archive(good);
  renamed.write("z", renamed.lastIndexOf("x.npy"));
  const damaged = archive(good);
  damaged[damaged.indexOf(data) + 130]! ^= 1;

  const refused: [string, Uint8Array, string][] = [
    ["more bytes than declared", bomb(1000), '"x.npy": the data have more than the 1000 bytes declared'],
    [
      "fewer bytes than declared",
      bomb(2 ** 20 + 1),
      "the data have 1048576 bytes and not 1048577 as declared",
    ],
    ["more bytes than there can be", bomb(2 ** 31), '"x.npy" declares 2147483648 bytes, which its'],
    ["a stored file of another size", archive({ ...good, size: 5 }), '"x.npy" declares 5 bytes'],
    ["a name twice", archive(good, good), '"x.npy" comes twice'],
    ["files that overlap", overlapping, '"y.npy" overlaps with what lies before, at byte 35'],
    ["two names for one file", renamed, '"z.npy" has another name at byte 0 than in the directory'],
    ["another file", archive({ name: "x.txt", data }), '"x.txt" is no .npy file'],
    ["a file of torch.save", archive({ name: "model/data.pkl", data }), "save the state dict with save_file"],
    ["an encrypted file", archive({ ...good, flags: 1 }), '"x.npy" is encrypted'],
    ["another compression", archive({ ...good, method: 14 }), '"x.npy" is compressed by method 14'],
    ["damaged data", damaged, '"x.npy" is damaged: its checksum is another one'],
    ["a bad array", archive({ name: "x.npy", data: data.subarray(0, 130) }), 'npz: "x.npy": 2 bytes of data'],
    ["a prototype", archive({ name: "__proto__.npy", data }), "no tensor may be called __proto__"],
  ];
  test.each(refused)("with %s is refused", (_, bytes, message) => {
    expect(() => readNpz(bytes)).toThrow(FormatError);
    expect(() => readNpz(bytes)).toThrow(message);
  });

  test("above the limit is refused before it is decompressed", () => {
    const large = writeNpy(zeros([2 ** 18]));
    const zip = archive({ name: "x.npy", data: large, deflated: deflateRawSync(large) });
    expect(() => readNpz(zip, { limit: 2 ** 20 })).toThrow(
      "the files have 1048704 bytes, more than the limit of 1048576",
    );
    expect(readNpz(zip, { limit: 2 ** 21 }).x!.size).toBe(2 ** 18);
    expect(() => readNpz(zip, { limit: -1 })).toThrow(ValueError);
  });

  test("is not written with a name that no file has", () => {
    expect(() => writeNpz({ "\ud800": zeros([1]) })).toThrow("is no name for a file");
    expect(() => writeNpz({ ["x".repeat(70_000)]: zeros([1]) })).toThrow(ValueError);
  });
});
