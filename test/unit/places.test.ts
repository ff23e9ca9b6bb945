import {
  at,
  bincount,
  CompileError,
  CotangentError,
  checkGradient,
  compile,
  DTypeError,
  diag,
  diagEmbed,
  diff,
  fromTypedArray,
  gather,
  grad,
  histc,
  IndexError,
  indexPut,
  linspace,
  maskedSelect,
  meshgrid,
  nonzero,
  normal,
  ones,
  pad,
  quantile,
  randint,
  ShapeError,
  scatterReduce,
  searchsorted,
  sort,
  type Tensor,
  tensor,
  unique,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

/** Functions that find places or use them: what golden numbers and laws do not see. */
const int32 = (...data: number[]): Tensor => tensor(data, { dtype: "int32" });
const dataOf = (x: Tensor): number[] => Array.from(x.toTypedArray());

/** The error that `call` throws at the caller's line, with each of `says` in its message. */
function refusal(call: () => unknown, ...says: string[]): Error {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  if (!(error instanceof CotangentError)) throw new Error(`not refused: ${String(error)}`);
  for (const part of says) expect(error.message).toContain(part);
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  expect(frames[0]).toContain("places.test.ts");
  return error;
}

describe("places outside", () => {
  test("are refused where they are known, with the axis of x that they are for", () => {
    const x = ones([2, 3, 4]) as Tensor;
    const calls: [call: () => unknown, ...says: string[]][] = [
      [() => at(x, 0, int32(1), int32(4)), "at: index 4", "axis 2 of size 4", "-4 ... 3"],
      [() => at(x, int32(-3), null, int32(0)), "at: index -3", "axis 0 of size 2"],
      [() => at(x, x.gt(0), int32(0)), "at: indices for 4 axes of shape [2, 3, 4]"],
      [() => indexPut(x, [int32(0), int32(3)], ones([4])), "indexPut: index 3", "axis 1 of size 3"],
      [() => indexPut(x, [int32(0), int32(0), int32(0), int32(0)], ones([1])), "indexPut: indices for 4"],
      [() => scatterReduce(ones([2]), 0, int32(2), ones([1]), "amax"), "scatterReduce: index 2", "of size 2"],
    ];
    for (const [call, ...says] of calls) expect(refusal(call, ...says)).toBeInstanceOf(IndexError);
  });

  test("are refused when they are computed, with the line that named them", () => {
    const three = int32(1).add(int32(2));
    const x = ones([2, 3]) as Tensor;
    const found = [
      [at(x, int32(1), three), "at: index 3 is outside axis 1 of size 3"],
      [indexPut(x, [int32(1), three], ones([1])), "indexPut: index 3 is outside axis 1 of size 3"],
      [
        scatterReduce(ones([2]), 0, three, ones([1]), "amin"),
        "scatterReduce: index 3 is outside axis 0 of size 2",
      ],
      [
        scatterReduce(ones([2]), 0, three, ones([1]), "prod"),
        "scatterReduce: index 3 is outside axis 0 of size 2",
      ],
    ] as const;
    for (const [out, words] of found)
      expect(refusal(() => out.toArray(), words).message).toMatch(/made at .*places\.test\.ts:\d+/);
  });
});

describe("a mask", () => {
  test("that does not fit is refused", () => {
    const x = ones([2, 3]) as Tensor;
    const mask = tensor([true, false, true]);
    for (const call of [() => at(x, mask), () => indexPut(x, [mask], ones([3]))])
      expect(refusal(call, "a mask of shape [3] for axes of shape [2]")).toBeInstanceOf(ShapeError);
    refusal(() => maskedSelect(ones([2]), mask), "maskedSelect: shapes [2] and [3] do not broadcast");
  });

  test("counts as a constant: what it selects has derivatives of every order", () => {
    const f = (x: Tensor) => maskedSelect(x, x.gt(0)).pow(3).sum();
    for (const order of [1, 2] as const)
      expect(checkGradient((x) => f(x!), [tensor([1, -2, 0.5], { dtype: "float64" })], { order }).pass).toBe(
        true,
      );
  });

  test("of a variable is that of its present version", () => {
    const v = variable(tensor([1, 0, 2]));
    v.assign(v.mul(0).add(tensor([0, 3, 0])));
    expect(nonzero(v).toArray()).toEqual([[1]]);
  });
});

describe("inside compile", () => {
  test("shapes that depend on values are refused by name, with what to do", () => {
    const calls: [name: string, call: (x: Tensor) => Tensor][] = [
      ["nonzero", (x) => nonzero(x)],
      ["maskedSelect", (x) => maskedSelect(x, x.gt(0))],
      ["bincount", (x) => bincount(x.cast("int32"))],
      ["at", (x) => at(x, x.gt(0))],
      ["indexPut", (x) => indexPut(x, [x.gt(0)], zeros([]))],
    ];
    for (const [name, call] of calls) {
      const error = refusal(() => compile(call)(ones([3])), `${name}: `, "depends on values", "where()");
      expect(error).toBeInstanceOf(CompileError);
    }
  });

  test("reductions at places, several indices and searches give the same bits", () => {
    const [x, source] = [normal([5, 3]), normal([9, 3])];
    const index = randint(0, 5, [9, 3]);
    const f = (x: Tensor, source: Tensor, index: Tensor) => [
      scatterReduce(x, 0, index, source, "sum", { includeSelf: false }),
      scatterReduce(x, 0, index, source, "mean"),
      scatterReduce(x, 0, index, source, "prod"),
      scatterReduce(x, 0, index, source, "amax"),
      scatterReduce(x, 0, index, source, "amin", { includeSelf: false }),
      at(x, index, index.sub(5).maximum(-3)),
      indexPut(x, [index], source.unsqueeze(1)),
      searchsorted(index.reshape([27]).cumsum(), index),
    ];
    const [plain, compiled] = [f(x, source, index), compile(f)(x, source, index)];
    expect(compiled.map(dataOf)).toEqual(plain.map(dataOf));
  });
});

describe("against the definition", () => {
  test("searchsorted counts what is less, for sequences of any length", () => {
    for (let n = 0; n < 40; n++) {
      const sequence = sort(randint(-9, 9, [n])).values;
      const values = randint(-10, 10, [25]);
      const numbers = dataOf(sequence);
      const count = (holds: (a: number, v: number) => boolean) =>
        dataOf(values).map((v) => numbers.filter((a) => holds(a, v)).length);
      expect(dataOf(searchsorted(sequence, values))).toEqual(count((a, v) => a < v));
      expect(dataOf(searchsorted(sequence, values, { right: true }))).toEqual(count((a, v) => a <= v));
    }
  });

  test("products at places multiply all that meet there, whatever their order", () => {
    const [index, source] = [randint(0, 7, [300]), normal([300], { dtype: "float64" })];
    const [places, factors] = [dataOf(index), dataOf(source)];
    const found = dataOf(scatterReduce(ones([7], { dtype: "float64" }), 0, index, source, "prod"));
    found.forEach((product, place) => {
      const expected = factors.filter((_, i) => places[i] === place).reduce((a, b) => a * b, 1);
      expect(Math.abs(product / expected - 1)).toBeLessThan(1e-13);
    });
  });

  test("bincount is differentiable in its weights", () => {
    const f = (weights: Tensor) => bincount(int32(2, 0, 2), { weights }).square();
    expect(dataOf(bincount(int32(2, 0, 2), { weights: tensor([1, 2, 4]) }))).toEqual([2, 0, 5]);
    expect(checkGradient((w) => f(w!), [tensor([1, 2, 4], { dtype: "float64" })]).pass).toBe(true);
  });
});

test("options that are not offered are refused", () => {
  const x = ones([2, 2]) as Tensor;
  const loose = (options: unknown): never => options as never;
  refusal(() => pad(x, 2, { mode: "reflect" }), "pad: ", "axis 0 of shape [2, 2]", "at most 1");
  refusal(() => pad(x, 3, { mode: "circular" }), "pad: ", "at most 2");
  refusal(() => pad(zeros([0]), 1, { mode: "replicate" }), "pad: ", "at most 0");
  refusal(() => pad(x, 1, loose({ mode: "mirror" })), 'pad: unknown mode "mirror"', "reflect");
  refusal(() => pad(int32(1), 1, { value: 0.5 }), "pad: 0.5 is no int32");
  refusal(() => quantile(x, 0.5, 0, loose({ interpolation: "cubic" })), "quantile: unknown", "midpoint");
  refusal(() => quantile(x, 1.5), "quantile: q is 1.5");
  refusal(() => meshgrid([ones([2])], loose({ indexing: "yx" })), 'meshgrid: unknown indexing "yx"');
  refusal(() => diag(x, { offset: 0.5 }), "diag: the offset");
  refusal(() => diagEmbed(x, { offset: 0.5 }), "diagEmbed: the offset");
  refusal(() => scatterReduce(x, 0, int32(0), x, loose("max")), "scatterReduce: ");
  expect(refusal(() => bincount(int32(1, -1)), "bincount: ", "got -1")).toBeInstanceOf(ValueError);
  refusal(() => bincount(int32(1), { minlength: -1 }), "bincount: minlength");
  refusal(() => bincount(int32(1), { weights: ones([2]) }), "bincount: weights of shape [2]");
});

describe("different values", () => {
  test("are put together again by their places, and counted", () => {
    for (const x of [randint(-3, 4, [5, 4]), randint(0, 2, [7]).eq(1), normal([3, 2]), tensor(4)]) {
      const { values, inverse, counts } = unique(x);
      expect(gather(values, 0, inverse.reshape([x.size])).toArray()).toEqual(x.reshape([x.size]).toArray());
      expect(values.toArray()).toEqual(sort(values).values.toArray());
      expect(diff(values.cast("float32")).gt(0).all().item()).toBe(1);
      expect(counts.sum().item()).toBe(x.size);
      expect(bincount(inverse.reshape([x.size])).toArray()).toEqual(counts.toArray());
      expect([inverse.shape, inverse.dtype, counts.dtype]).toEqual([x.shape, "int32", "int32"]);
    }
    expect(unique(zeros([0, 2])).values.shape).toEqual([0]);
  });

  test("are zeros of both signs as one, and every NaN", () => {
    const { values, inverse, counts } = unique(tensor([Number.NaN, 1, Number.NaN, -0, 0]));
    expect(values.toArray()).toEqual([-0, 1, Number.NaN, Number.NaN]);
    expect(inverse.toArray()).toEqual([2, 1, 3, 0, 0]);
    expect(counts.toArray()).toEqual([2, 1, 1, 1]);
  });

  test("have the gradient of the first, and no place inside compile", () => {
    const x = tensor([3, 1, 3]);
    expect(grad(unique(x).values, [x], { cotangent: tensor([1, 2]) })[0].toArray()).toEqual([2, 1, 0]);
    const sorted = compile((y: Tensor) => unique(y).values);
    expect(() => sorted(x)).toThrow(CompileError);
    expect(() => sorted(x)).toThrow(/^unique: /);
  });
});

describe("histc", () => {
  test("counts what searchsorted finds between edges", () => {
    const x = normal([200]);
    const edges = linspace(-1, 1, 9);
    const places = searchsorted(edges, x, { right: true });
    const inside = x.ge(-1).logicalAnd(x.le(1));
    const expected = bincount(maskedSelect(places, inside).sub(1), { minlength: 8 });
    expect(histc(x, { bins: 8, min: -1, max: 1 }).toArray()).toEqual(expected.toArray());
    expect(
      histc(x.reshape([2, 100]))
        .sum()
        .item(),
    ).toBe(200);
    expect(histc(x).shape).toEqual([100]);
    const step = compile((y: Tensor) => histc(y, { bins: 5 }));
    expect(step(x).toArray()).toEqual(histc(x, { bins: 5 }).toArray());
  });

  test("takes the range of what is there, unless it is not finite", () => {
    expect(histc(tensor([2, 2, 2]), { bins: 3 }).toArray()).toEqual([0, 3, 0]);
    expect(histc(tensor([0, 3, 4]), { bins: 2, max: 2 }).toArray()).toEqual([1, 0]);
    expect(histc(tensor([0, 3, 4]), { bins: 2, min: 3 }).toArray()).toEqual([1, 1]);
    expect(histc(tensor([1]), { bins: 2, min: 5 }).toArray()).toEqual([0, 0]);
    for (const wild of [Number.NaN, Infinity, -Infinity]) {
      expect(histc(tensor([wild, 1, 2]), { bins: 2 }).toArray()).toEqual([0, 0]);
      expect(histc(tensor([wild, 1, 2]), { bins: 2, min: 0, max: 2 }).toArray()).toEqual([0, 2]);
    }
    const ends = tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: "int32" });
    expect(histc(ends, { bins: 2 }).toArray()).toEqual([1, 1]);
    expect(histc(zeros([0]), { bins: 2 }).toArray()).toEqual([0, 0]);
  });

  test("refuses what are no bins", () => {
    const x = tensor([1, 2]);
    for (const bins of [0, 2.5, "3" as never])
      expect(() => histc(x, { bins })).toThrow("histc: bins is a whole number");
    for (const end of [Number.NaN, Infinity, "0" as never]) {
      expect(() => histc(x, { min: end })).toThrow(`histc: min is ${end}`);
      expect(() => histc(x, { max: end })).toThrow(`histc: max is ${end}`);
    }
    expect(() => histc(x, { min: 0, max: 0 })).toThrow("leave both out for the range of x");
    expect(() => histc(x.gt(1))).toThrow(DTypeError);
  });
});

test("an index that is used again is compared with each axis that it is for", () => {
  const index = fromTypedArray(
    Int32Array.from({ length: 5000 }, (_, i) => (i + 1) % 4),
    [5000],
  );
  const found = gather(tensor([5, 6, 7, 8]), 0, index);
  expect([...found.toTypedArray().subarray(0, 5)]).toEqual([6, 7, 8, 5, 6]);
  for (let i = 0; i < 2; i++)
    expect(() => gather(tensor([5, 6, 7]), 0, index)).toThrow("gather: index 3 is outside axis 0 of size 3");
  expect(() => gather(tensor([5, 6, 7, 8]), 0, index.sub(1))).not.toThrow();
  const negative = index.sub(1);
  negative.toTypedArray();
  expect(() => gather(tensor([5, 6, 7, 8]), 0, negative)).toThrow("gather: index -1 is outside axis 0");
});
