import type { Body, Registered } from "@cotangent/autograd";
import {
  CompileError,
  compile,
  type DType,
  defineOp,
  fromTypedArray,
  grad,
  leavesOf,
  ones,
  registry,
  Tensor,
  zero,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { same } from "../bits.ts";
import { mulberry32 } from "../mulberry.ts";
import { drawFor } from "./draws.ts";

/** The law of the compiler, function by function; `graphs.test.ts` has it for graphs of many ops. */

function tensorsIn(args: readonly unknown[]): Tensor[] {
  return args.flatMap((x) => (x instanceof Tensor ? [x] : Array.isArray(x) ? tensorsIn(x) : []));
}

/** The call `f(...args)` as a function of the tensors among its arguments. */
function callOf(f: Registered, args: readonly unknown[]): (...tensors: Tensor[]) => Tensor[] {
  return (...tensors) => {
    let next = 0;
    const put = (x: unknown): unknown =>
      x instanceof Tensor ? tensors[next++]! : Array.isArray(x) ? x.map(put) : x;
    return leavesOf(f(...args.map(put)));
  };
}

const isFloat = (x: Tensor) => x.dtype.startsWith("float");

/** The values, and the gradients of their floats by the float operands, where there are any. */
function withGradients(f: (...tensors: Tensor[]) => Tensor[]): (...tensors: Tensor[]) => Tensor[] {
  return (...tensors) => {
    const values = f(...tensors);
    const inputs = tensors.filter(isFloat);
    const terms = values.filter(isFloat).map((y) => y.mul(y.add(0.5)).sum());
    if (terms.length === 0 || inputs.length === 0) return values;
    return [
      ...values,
      ...grad(
        terms.reduce((a, b) => a.add(b)),
        inputs,
      ),
    ];
  };
}

const refused = new Set<string>();

describe.each(["float32", "float64"] as DType[])("compiled equals interpreted in %s", (dtype) => {
  for (const [name, f] of registry)
    test(name, () => {
      const draw = drawFor(name, dtype);
      for (let run = 0; run < 12; run++) {
        const args = f.samples(draw);
        try {
          same(withGradients(callOf(f, args)), tensorsIn(args));
        } catch (error) {
          if (!(error instanceof CompileError)) throw error;
          if (!error.message.includes("the shape of its result depends on values")) throw error;
          refused.add(name);
        }
      }
    });
});

test("the only functions that cannot be compiled are those whose shape depends on values", () => {
  // Of at and indexPut, only the calls with a mask.
  const reading = ["nonzero", "maskedSelect", "at", "indexPut", "bincount", "unique"];
  expect([...refused].sort()).toEqual(reading.sort());
});

describe("an index into an axis of size 0", () => {
  const index = fromTypedArray(Int32Array.of(0, 0), [2]);
  const cases: Record<string, (index: Tensor) => Tensor> = {
    "is refused by gather": (i) => zeros([0]).add(1).gather(0, i.add(0)),
    "is refused by gather with other axes": (i) =>
      zeros([0, 2])
        .add(1)
        .gather(0, i.add(0).unsqueeze(0).broadcastTo([3, 2])),
    "is refused by scatterAdd": (i) => zeros([0]).scatterAdd(0, i.add(0), ones([2])),
  };
  test.each(Object.entries(cases))("%s, with the message of the interpreter", (_, f) => {
    const message = (run: () => unknown) => {
      try {
        run();
        return "no error";
      } catch (error) {
        return String(error).replace(/; made .*/, "");
      }
    };
    const expected = message(() => withCache(null, () => f(index).toArray()));
    expect(expected).toMatch(/IndexError: \w+: index 0 is outside axis 0 of size 0/);
    expect(message(() => compile(f)(index))).toBe(expected);
  });

  test("does not matter if there is no such index", () => {
    const none = fromTypedArray(new Int32Array(0), [0, 2]);
    same(
      (x, i) => [x!.add(1).gather(0, i!.add(0)), zeros([0, 2]).scatterAdd(0, i!, x!)],
      [zeros([0, 2]), none],
    );
  });
});

describe("every word of the vocabulary has its meaning", () => {
  const floats = [
    ...[
      0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, 3.7, -3.7, 8388609, 2147483648, -2147483649, 1e10,
    ],
    ...[1e-45, -1e-40, 1.17549435e-38, 3.4e38, 5e-324, 2.3e-308, 1.7e308, 150, -150, 127, -126, 128, 1100],
    ...[-1100, 3000, -3000, 252, 253, -252, -253, 2044, -2045, Infinity, -Infinity, Number.NaN],
  ];
  const integers = [0, 1, -1, 2, 5, -7, 31, 32, 33, 2147483647, -2147483648, 0x1bd11bda, 255, 2146483647];
  const elements = { float32: floats, float64: floats, int32: integers, bool: [0, 1] };
  const leafOf = (data: readonly number[], dtype: DType) =>
    dtype === "int32"
      ? fromTypedArray(Int32Array.from(data), [data.length])
      : fromTypedArray(Float64Array.from(data), [data.length]).cast(dtype);

  /** Both operands of all pairs of elements. */
  const pairs = (dtype: DType) => {
    const list = elements[dtype];
    return [
      leafOf(
        list.flatMap((x) => list.map(() => x)),
        dtype,
      ),
      leafOf(
        list.flatMap(() => list),
        dtype,
      ),
    ];
  };

  const one: Body = (m) => m.constant(3, m.dtype);
  const words: Record<string, { on: readonly DType[]; body: Body; gives?: DType }> = {
    ...on(["float32", "float64", "int32"], {
      add: (m, x, y) => m.add(x!, y!),
      sub: (m, x, y) => m.sub(x!, y!),
      mul: (m, x, y) => m.mul(x!, y!),
      neg: (m, x) => m.neg(x!),
      abs: (m, x) => m.abs(x!),
      pmin: (m, x, y) => m.pmin(x!, y!),
      pmax: (m, x, y) => m.pmax(x!, y!),
      constant: one,
      rare: (m, x, y) =>
        m.rare(
          m.lt(x!, y!),
          m.add(x!, 1),
          (n, a, b) => n.rare(n.le(b!, 0), n.sub(b!, a!), (k, c) => k.mul(c!, 2), a!),
          x!,
          y!,
        ),
    }),
    ...on(["float32", "float64"], {
      div: (m, x, y) => m.div(x!, y!),
      sqrt: (m, x) => m.sqrt(x!),
      floor: (m, x) => m.floor(x!),
      ceil: (m, x) => m.ceil(x!),
      trunc: (m, x) => m.trunc(x!),
      nearest: (m, x) => m.nearest(x!),
      copysign: (m, x, y) => m.copysign(x!, y!),
      exponent: (m, x) => m.exponent(x!),
      scale2: (m, x, k) => m.scale2(x!, k!),
      power2: (m, x) =>
        m.power2(
          m.trunc(
            m.pmax(
              m.pmin(m.select(m.eq(x!, x!), x!, 0), m.dtype === "float32" ? 127 : 1023),
              m.dtype === "float32" ? -126 : -1022,
            ),
          ),
        ),
      table: (m, x) =>
        m.table(
          [0.1, 2, -3.5],
          m.convert(m.pmax(m.pmin(m.select(m.eq(x!, x!), x!, 0), 2), 0), "int32"),
          m.dtype,
        ),
    }),
    ...on(["int32"], {
      shiftLeft: (m, x, y) => m.shiftLeft(x!, y!),
      shiftRight: (m, x, y) => m.shiftRight(x!, y!),
      tableOfIntegers: (m, x) => m.table([7, -9, 2147483647, 4], m.and(x!, 3), m.dtype),
    }),
    ...on(["int32", "bool"], {
      xor: (m, x, y) => m.xor(x!, y!),
      and: (m, x, y) => m.and(x!, y!),
      or: (m, x, y) => m.or(x!, y!),
      not: (m, x) => m.not(x!),
    }),
    ...on(["float32", "float64", "int32", "bool"], {
      select: (m, x, y) => m.select(m.convert(x!, "bool"), x!, y!),
    }),
    ...on(
      ["float32", "float64", "int32", "bool"],
      {
        eq: (m, x, y) => m.eq(x!, y!),
        ne: (m, x, y) => m.ne(x!, y!),
        lt: (m, x, y) => m.lt(x!, y!),
        le: (m, x, y) => m.le(x!, y!),
        toBool: (m, x) => m.convert(x!, m.dtype),
      },
      "bool",
    ),
    ...on(
      ["float32", "float64", "int32", "bool"],
      { toFloat32: (m, x) => m.convert(x!, m.dtype) },
      "float32",
    ),
    ...on(
      ["float32", "float64", "int32", "bool"],
      { toFloat64: (m, x) => m.convert(x!, m.dtype) },
      "float64",
    ),
    ...on(["float32", "float64", "int32", "bool"], { toInt32: (m, x) => m.convert(x!, m.dtype) }, "int32"),
  };

  function on(dtypes: readonly DType[], bodies: Record<string, Body>, gives?: DType) {
    return Object.fromEntries(
      Object.entries(bodies).map(([name, body]) => [name, { on: dtypes, body, ...(gives && { gives }) }]),
    );
  }

  for (const [name, { on, body, gives }] of Object.entries(words))
    test.each(on)(`${name} of %s`, (dtype) => {
      const apply = defineOp({
        name,
        kernel: { kind: "pointwise", body },
        derivatives: [zero],
        shape: ([x]) => x!.shape,
        dtype: ([x]) => gives ?? x!.dtype,
      });
      same((x, y) => [apply([x!, y!], {})], pairs(dtype));
    });
});

describe("every order of summation is kept", () => {
  const values = (size: number, dtype: DType) => {
    const random = mulberry32(size);
    const data = Float64Array.from({ length: size }, () => (random() - 0.5) * 10 ** Math.floor(random() * 8));
    return fromTypedArray(data, [size]).cast(dtype);
  };
  const counts = [0, 1, 2, 3, 5, 8, 15, 16, 17, 63, 65, 255, 257, 1023, 1025, 4095, 4097, 8200, 9001];

  for (const dtype of ["float32", "float64", "int32"] as const)
    test(`in reductions of ${dtype}`, () => {
      for (const count of counts) {
        const x = values(3 * count, dtype);
        const shapes = { rows: x.reshape([3, count]), columns: x.reshape([count, 3]) };
        const f = ({ rows, columns }: typeof shapes) => [
          rows.sum(1),
          rows.sum(),
          columns.sum(0),
          columns.add(1).mul(columns).sum(0),
          columns.unsqueeze(1).broadcastTo([count, 2, 3]).sum([0, 2]),
          rows.permute([1, 0]).unsqueeze(0).broadcastTo([2, count, 3]).sum([0, 1]),
          ...(count > 0 ? [rows.amax(1), columns.amin(0), columns.amax()] : []),
          rows.cumsum(1),
          columns.cumsum(0),
        ];
        same((rows, columns) => f({ rows: rows!, columns: columns! }), [shapes.rows, shapes.columns]);
      }
    });

  test("in reductions of long formulas over many terms", () => {
    const f = (x: Tensor) => [
      x.tanh().exp().sin().sigmoid().sum(1),
      x.pow(2.5).mul(x.erf()).sum(0),
      x.erf().pow(x).sum([0]),
    ];
    for (const count of [7, 65, 1025, 4100])
      same(
        (x) => f(x!),
        [
          values(3 * count, "float32")
            .abs()
            .mul(1e-5)
            .reshape([3, count]),
        ],
      );
  });

  for (const dtype of ["float32", "float64", "int32"] as const)
    test(`in contractions of ${dtype}`, () => {
      for (const count of [0, 1, 2, 3, 17, 255, 256, 257, 600, 1025, 2100])
        for (const [n, m] of [
          [2, 3],
          [1, 3],
          [3, 1],
          [1, 1],
          [0, 2],
        ] as const) {
          const [x, y] = [
            values(n * count, dtype).reshape([n, count]),
            values(m * count + 1, dtype)
              .slice(1)
              .reshape([count, m]),
          ];
          same(
            (a, b) => [
              a!.matmul(b!),
              b!.permute([1, 0]).matmul(a!.permute([1, 0])),
              a!.unsqueeze(0).matmul(b!),
            ],
            [x, y],
          );
        }
    });
});
