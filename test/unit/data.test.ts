import {
  DTypeError,
  FormatError,
  grad,
  IndexError,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  zeros,
} from "@cotangent/autograd";
import {
  type BatchOptions,
  batches,
  csvRows,
  kFold,
  map,
  padSequence,
  prefetch,
  randomSplit,
  readCsv,
  readIdx,
  Subset,
  TensorDataset,
} from "@cotangent/nn/data";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const set = (length: number) =>
  new TensorDataset(
    tensor(Array.from({ length }, (_, i) => [i, -i])),
    tensor(Array.from({ length }, (_, i) => i)),
  );
const numbers = (x: Tensor): number[] => [...x.toTypedArray()];
const sorted = (xs: Iterable<number>): number[] => [...xs].sort((a, b) => a - b);
const upTo = (length: number): number[] => Array.from({ length }, (_, i) => i);
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) {
    await null;
    yield item;
  }
}

describe("a TensorDataset", () => {
  test("makes batches of rows, in the given order and dtype", () => {
    const data = new TensorDataset(
      tensor([[[1, 2]], [[3, 4]]]),
      tensor([7, 8], { dtype: "int32" }),
      tensor([true, false]),
    );
    const [x, y, z] = data.batch([1, 0, 1]);
    expect([x.shape, numbers(x)]).toEqual([
      [3, 1, 2],
      [3, 4, 1, 2, 3, 4],
    ]);
    expect([y.dtype, numbers(y), z.dtype, numbers(z)]).toEqual(["int32", [8, 7, 8], "bool", [0, 1, 0]]);
    expect(data.batch([])[0].shape).toEqual([0, 1, 2]);
  });

  test("refuses tensors of different lengths and examples that are none", () => {
    expect(() => new TensorDataset()).toThrow(ValueError);
    expect(() => new TensorDataset(zeros([]))).toThrow(ShapeError);
    expect(() => new TensorDataset(zeros([3, 1]), zeros([2]))).toThrow(
      "TensorDataset: the first axes count the examples, and the shapes are [3, 1], [2]",
    );
    for (const index of [-1, 3, 0.5]) expect(() => set(3).batch([index])).toThrow(IndexError);
    expect(() => new Subset(set(3), [3])).toThrow("Subset: there is no example 3; they are 0 to 2");
  });
});

describe("batches", () => {
  const inBatches = (length: number, options: BatchOptions, epoch = 1): number[][] =>
    [...batches(set(length), options)(epoch)].map(([, y]) => numbers(y));

  test("come in order, the last one shorter or left out", () => {
    expect(inBatches(5, { batchSize: 2 })).toEqual([[0, 1], [2, 3], [4]]);
    expect(inBatches(5, { batchSize: 2, dropLast: true })).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(inBatches(2, { batchSize: 3, dropLast: true })).toEqual([]);
    expect(inBatches(0, {})).toEqual([]);
  });

  test("have all examples once, in an order that seed and epoch decide alone", () => {
    const anything = [
      fc.nat({ max: 50 }),
      fc.integer({ min: 1, max: 60 }),
      fc.maxSafeNat(),
      fc.nat({ max: 9 }),
    ] as const;
    fc.assert(
      fc.property(...anything, (length, batchSize, seed, epoch) => {
        const options = { batchSize, shuffle: true, seed };
        const order = inBatches(length, options, epoch);
        expect(sorted(order.flat())).toEqual(upTo(length));
        expect(inBatches(length, options, epoch)).toEqual(order);
        expect(inBatches(length, { ...options, batchSize: 1 }, epoch).flat()).toEqual(order.flat());
      }),
    );
    const order = (seed: number, epoch: number): string =>
      inBatches(30, { shuffle: true, seed }, epoch).join();
    const orders = [order(1, 1), order(1, 2), order(2, 1), order(2 ** 32 + 1, 1), order(2 ** 33 + 1, 1)];
    expect(new Set(orders).size).toBe(5);
  });

  test("reach every order equally often", () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 2400; epoch++) {
      const order = inBatches(4, { shuffle: true, seed: 5 }, epoch).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const statistic = [...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    // 23 degrees of freedom, between quantiles 0.0001 and 0.9999.
    expect(statistic).toBeGreaterThan(5.1);
    expect(statistic).toBeLessThan(55);
  });

  test("refuse numbers that make no sense", () => {
    for (const batchSize of [0, 1.5, Number.NaN])
      expect(() => batches(set(2), { batchSize })).toThrow(ValueError);
    expect(() => batches(set(2), { shuffle: true, seed: -1 })).toThrow(
      "batches: seed is a whole number from 0",
    );
    expect(() => batches(set(2))(-1)).toThrow("batches: the epoch is a whole number of at least 0, got -1");
    expect(() => batches({ length: 2 } as never)).toThrow(
      "batches: takes a data set, which has length and batch()",
    );
    expect(() => batches([tensor([1, 2]), tensor([1])])).toThrow(ShapeError);
  });
});

describe("parts of a data set", () => {
  test("split it without loss, as the shares say", () => {
    const parts = randomSplit(set(10), [0.75, 0.25], { seed: 1 });
    expect(parts.map(({ length }) => length)).toEqual([8, 2]);
    expect(sorted(parts.flatMap(({ indices }) => [...indices]))).toEqual(upTo(10));
    expect(parts[1].batch([1])[1].item()).toBe(parts[1].indices[1]);
    const again = randomSplit(set(10), [8, 2], { seed: 1 });
    expect(again.map(({ indices }) => [...indices])).toEqual(parts.map(({ indices }) => [...indices]));
    expect(randomSplit(set(3), [1], { shuffle: false })[0].indices).toEqual(Int32Array.of(0, 1, 2));
    expect(randomSplit(set(10), [0.1, 0.2, 0.7]).map(({ length }) => length)).toEqual([1, 2, 7]);
    for (const shares of [[], [0.5, 0.4], [5, 4], [-1, 2], [Number.NaN]])
      expect(() => randomSplit(set(10), shares)).toThrow(ValueError);
  });

  test("of k folds take each example aside once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 2, max: 30 }),
        fc.nat(),
        (length, k, seed) => {
          fc.pre(k <= length);
          const folds = kFold(set(length), k, { seed });
          expect(sorted(folds.flatMap(({ validation }) => [...validation.indices]))).toEqual(upTo(length));
          for (const { train, validation } of folds) {
            expect(sorted([...train.indices, ...validation.indices])).toEqual(upTo(length));
            expect(Math.abs(validation.length - length / k)).toBeLessThan(1);
          }
        },
      ),
    );
    for (const k of [1, 4, 2.5]) expect(() => kFold(set(3), k)).toThrow(ValueError);
  });
});

describe("map and prefetch", () => {
  test("map what is iterable, again and again, and what comes later", async () => {
    const squares = map([1, 2, 3], (x, i) => x * x + i);
    expect([[...squares], [...squares]]).toEqual([
      [1, 5, 11],
      [1, 5, 11],
    ]);
    expect(await collect(map(later(1, 2), async (x) => x + 1))).toEqual([2, 3]);
    expect([...map("ab", (x) => x + x)]).toEqual(["aa", "bb"]);
  });

  test("prefetch gives the same items, and asks for some of them ahead", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(), { maxLength: 9 }),
        fc.integer({ min: 1, max: 12 }),
        async (items, count) => {
          expect(await collect(prefetch(items, count))).toEqual(items);
          expect(await collect(prefetch(later(...items), count))).toEqual(items);
        },
      ),
    );
    const asked: number[] = [];
    const source = map(upTo(10), (x) => {
      asked.push(x);
      return x;
    });
    for await (const item of prefetch(source, 3)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (item === 4) break;
      expect(asked.length).toBe(Math.min(10, item + 3));
    }
    expect(() => prefetch([], 0)).toThrow(ValueError);
  });

  test("prefetch throws at its turn, and ends its source when the loop is left", async () => {
    const ended: string[] = [];
    async function* source(): AsyncGenerator<number> {
      try {
        yield* [1, 2, 3];
        throw new Error("no more");
      } finally {
        ended.push("ended");
      }
    }
    const seen: number[] = [];
    const all = (async () => {
      for await (const item of prefetch(source(), 5)) seen.push(item);
    })();
    await expect(all).rejects.toThrow("no more");
    for await (const _ of prefetch(source(), 2)) break;
    expect([seen, ended]).toEqual([
      [1, 2, 3],
      ["ended", "ended"],
    ]);
  });
});

describe("an IDX file", () => {
  const file = (code: number, sizes: readonly number[], data: readonly number[]): Uint8Array =>
    Uint8Array.of(
      0,
      0,
      code,
      sizes.length,
      ...sizes.flatMap((size) => [size >>> 24, size >>> 16, size >>> 8, size]),
      ...data,
    );

  test("has its numbers in any type", () => {
    expect(readIdx(file(8, [2, 2], [1, 2, 3, 255])).toArray()).toEqual([
      [1, 2],
      [3, 255],
    ]);
    expect(readIdx(file(9, [1], [255])).toArray()).toEqual([-1]);
    expect(readIdx(file(11, [1], [1, 2])).toArray()).toEqual([258]);
    expect(readIdx(file(12, [1], [255, 255, 255, 254])).toArray()).toEqual([-2]);
    expect(readIdx(file(13, [1], [63, 128, 0, 0])).toArray()).toEqual([1]);
    expect(readIdx(file(14, [1], [63, 240, 0, 0, 0, 0, 0, 0])).dtype).toBe("float64");
    expect(readIdx(file(8, [2], [0, 128]), { scale: 1 / 256 }).toArray()).toEqual([0, 0.5]);
    expect(readIdx(file(8, [], [9])).item()).toBe(9);
  });

  test.each<[string, Uint8Array, string]>([
    ["nothing", Uint8Array.of(), "idx: begins with"],
    ["another beginning", Uint8Array.of(0, 1, 8, 1), "idx: begins with 0 1 8 1"],
    ["another type", file(10, [1], [1]), "idx: begins with 0 0 10 1"],
    ["compressed bytes", Uint8Array.of(0x1f, 0x8b, 8, 0), "decompress it first"],
    ["sizes cut short", file(8, [1, 2], []).subarray(0, 9), "is cut short among its 2 sizes, at byte 9"],
    [
      "too few bytes",
      file(8, [2, 2], [1, 2, 3]),
      "3 bytes of data behind byte 12, and uint8 of shape [2, 2] takes 4",
    ],
    ["too many bytes", file(8, [2], [1, 2, 3]), "3 bytes of data"],
    ["too large a shape", file(8, [2 ** 31, 2 ** 31], []), "is too large"],
  ])("with %s is refused", (_, bytes, message) => {
    expect(() => readIdx(bytes)).toThrow(FormatError);
    expect(() => readIdx(bytes)).toThrow(message);
  });

  test("of any bytes is read or refused", () => {
    const beginning = fc.tuple(
      fc.constant(0),
      fc.constant(0),
      fc.integer({ min: 7, max: 15 }),
      fc.nat({ max: 3 }),
    );
    fc.assert(
      fc.property(beginning, fc.uint8Array({ maxLength: 30 }), (head, rest) => {
        try {
          readIdx(Uint8Array.of(...head, ...rest));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
    expect(() => readIdx(Uint8Array.of(), { scale: Number.NaN })).toThrow(ValueError);
  });
});

describe("CSV", () => {
  const rowsOf = (text: string, delimiter?: string): (readonly string[])[] => [
    ...csvRows([text], delimiter === undefined ? {} : { delimiter }),
  ];

  test("rows have quotes, lines in quotes, empty fields and either end of lines", () => {
    expect(rowsOf('a,b\r\n"x, ""y""",\n\n"two\nlines",3')).toEqual([
      ["a", "b"],
      ['x, "y"', ""],
      ["two\nlines", "3"],
    ]);
    expect(rowsOf("\ufeffa;b\n", ";")).toEqual([["a", "b"]]);
    expect(rowsOf(',\n""\n')).toEqual([["", ""], [""]]);
    expect(rowsOf("a\rb,c\r")).toEqual([["a\rb", "c"]]);
    expect(rowsOf("")).toEqual([]);
  });

  test("comes back as it was written, in pieces of any length too", async () => {
    const field = fc.string({
      unit: fc.constantFrom("a", ",", '"', "\n", "\r", " ", "é", "😀"),
      maxLength: 5,
    });
    const rows = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("\n", "\r\n"),
        async (table, size, end) => {
          const text = table
            .map((row) => row.map((x) => `"${x.replaceAll('"', '""')}"`).join() + end)
            .join("");
          const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
          expect([...csvRows(pieces)]).toEqual(table);
          expect(await collect(csvRows(later(...pieces)))).toEqual(table);
        },
      ),
    );
  });

  test.each([
    ['a\n"b', "csv: the quote at line 2, column 1 is not closed"],
    ['a,b"c', "csv: a quote inside the field at line 1, column 3"],
    ['"a" ,b', "csv: something follows the closing quote of the field at line 1, column 1"],
    ["a,b\n1,2\n3", "csv: the row at line 3, column 1 has 1 fields, and 2 belong there"],
    ["a,b,a\n", 'csv: the name "a" at line 1, column 5 comes twice'],
    ['a,b\n"x\ny",1', 'csv: "x\\ny" at line 2, column 1 (a) is no number; name the column in categorical'],
    ["a,b\n1, 2x", 'csv: " 2x" at line 2, column 3 (b) is no number'],
    ["a,b\n1,", 'csv: "" at line 2, column 3 (b) is no number; say so with missing'],
    ["a\nInfinity", "is no number"],
    ["a\n0x10", "is no number"],
    ["", "csv: there are no rows"],
  ])("%j is refused", (text, message) => {
    expect(() => readCsv(text)).toThrow(FormatError);
    expect(() => readCsv(text)).toThrow(message);
  });

  test("of any characters is read or refused", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "\r", ".", "-", "e") });
    fc.assert(
      fc.property(text, (given) => {
        try {
          readCsv(given, { header: false });
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
    expect(() => readCsv(`a\n${"1".repeat(1e6)}x`)).toThrow(FormatError);
  });

  test("tables have columns of numbers and of words", () => {
    const bytes = new TextEncoder().encode(
      "length, n ,kind,__proto__\n 1.5,-2e1,b,1\n.5,+3.,a,2\nNA,0,b,3\n",
    );
    const table = readCsv(bytes, { categorical: ["kind"], missing: ["NA"] });
    expect([table.length, table.names]).toEqual([3, ["length", " n ", "kind", "__proto__"]]);
    expect(table.columns(" n ", "length").toArray()).toEqual([
      [-20, 1.5],
      [3, 0.5],
      [0, NaN],
    ]);
    expect([table.classes("kind").dtype, table.classes("kind").toArray()]).toEqual(["int32", [1, 0, 1]]);
    expect(table.categories("kind")).toEqual(["a", "b"]);
    expect(table.columns("__proto__").toArray()).toEqual([[1], [2], [3]]);
    expect(readCsv("1,2\n3,4", { header: false }).columns("1").toArray()).toEqual([[2], [4]]);
    expect(() => table.columns("width")).toThrow(
      'Table: there is no column "width"; there are length,  n , kind',
    );
    expect(() => table.classes("length")).toThrow('column "length" holds numbers; name it in categorical');
    expect(() => readCsv("a\n1", { categorical: ["b"] })).toThrow(ValueError);
    expect(() => readCsv("a", { separator: ";" } as never)).toThrow(
      "readCsv: there is no option separator; the options are delimiter, header, categorical, missing",
    );
    expect(() => readCsv("a", { delimiter: "ab" })).toThrow(ValueError);
    expect(() => readCsv(Uint8Array.of(255))).toThrow("csv: the bytes are not UTF-8");
  });
});

describe("sequences of several lengths", () => {
  const xs = [ones([3, 2]), ones([1, 2]).mul(2), zeros([0, 2])] as Tensor[];

  test("stand side by side, or each in a row, and are filled up behind their ends", () => {
    const rows = [
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      [
        [2, 2],
        [-1, -1],
        [-1, -1],
      ],
      [
        [-1, -1],
        [-1, -1],
        [-1, -1],
      ],
    ];
    const padded = padSequence(xs, { batchFirst: true, paddingValue: -1 });
    expect(padded.toArray()).toEqual(rows);
    expect(padSequence(xs, { paddingValue: -1 }).transpose(0, 1).toArray()).toEqual(rows);
    const words = [[7, 8], [9]].map((x) => tensor(x, { dtype: "int32" }) as Tensor);
    expect(padSequence(words).toArray()).toEqual([
      [7, 9],
      [8, 0],
    ]);
    expect(padSequence(words).dtype).toBe("int32");
    const [a, b] = grad(padSequence(xs).square().sum(), xs) as [Tensor, Tensor];
    expect([a.shape, b.toArray()]).toEqual([[3, 2], [[4, 4]]]);
  });

  test("that are none, or differ in more than their length, are refused", () => {
    expect(() => padSequence([])).toThrow(ValueError);
    expect(() => padSequence(xs[0] as never)).toThrow("takes a list of at least one tensor");
    expect(() => padSequence([[1, 2]] as never)).toThrow("takes a list of at least one tensor");
    expect(() => padSequence([ones([2, 3]), ones([2, 4])])).toThrow(ShapeError);
    expect(() => padSequence([ones([2]), ones([2, 1])])).toThrow("got shapes [2] and [2, 1]");
    expect(() => padSequence([ones([])])).toThrow(ShapeError);
    expect(() => padSequence([ones([2]), ones([2], { dtype: "int32" })])).toThrow(DTypeError);
    expect(() => padSequence(xs, { paddingValue: "0" as never })).toThrow("paddingValue");
    expect(() => padSequence(xs, true as never)).toThrow("the options are batchFirst, paddingValue");
  });
});
