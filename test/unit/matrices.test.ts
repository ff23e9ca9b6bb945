import {
  blockDiag,
  checkGradient,
  cholesky,
  choleskySolve,
  DTypeError,
  det,
  div,
  eigh,
  eigvalsh,
  eye,
  fromTypedArray,
  GradientError,
  grad,
  inv,
  jvp,
  logdet,
  lstsq,
  matmul,
  matrixExp,
  matrixNorm,
  matrixPower,
  matrixRank,
  mul,
  multiDot,
  norm,
  pinv,
  qr,
  ShapeError,
  slogdet,
  solve,
  stack,
  sub,
  svd,
  svdvals,
  type Tensor,
  tensor,
  transpose,
  triangularSolve,
  tril,
  triu,
  ValueError,
  where,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../mulberry.ts";

/** Of elements between -1 and 1, float64. */
function matrix(rows: number, columns: number, seed = 1): Tensor {
  const random = mulberry32(seed);
  return fromTypedArray(
    Float64Array.from({ length: rows * columns }, () => 2 * random() - 1),
    [rows, columns],
  );
}

const float64 = (data: number[][]): Tensor => tensor(data, { dtype: "float64" });
const largest = (x: Tensor): number => Math.max(0, ...x.toTypedArray().map(Math.abs));
const far = (x: Tensor, y: Tensor): number => largest(sub(x, y));
const identity = (n: number) => eye(n, n, { dtype: "float64" });

/** How far the columns of `x` are from orthonormal. */
const skewness = (x: Tensor): number => far(matmul(transpose(x), x), identity(x.shape[1]!));

const kinds: readonly (readonly [string, Tensor])[] = [
  ["of some size", matrix(20, 20)],
  ["tall", matrix(12, 7)],
  ["wide", matrix(7, 12)],
  ["of rank 3", matmul(matrix(12, 3), matrix(3, 12, 2))],
  ["of ones", matmul(float64([[1], [1], [1]]), float64([[1, 1, 1]]))],
  ["of many ones", matrix(9, 9).mul(0).add(1)],
  ["of zeros", matrix(3, 2).mul(0)],
  ["with elements that square to infinity", matrix(4, 4).mul(1e300)],
  ["with elements that square to 0", matrix(4, 4).mul(1e-300)],
  ["with rows of many sizes", mul(matrix(6, 6), float64([[1], [1e-5], [1e-10], [1e-15], [1e-20], [1e-25]]))],
  ["of one number", float64([[-2]])],
];

describe.each(kinds)("the factors of a matrix %s", (_, a) => {
  const size = largest(a) || 1;

  test("qr", () => {
    for (const mode of ["reduced", "complete"] as const) {
      const { Q, R } = qr(a, { mode });
      expect(far(matmul(Q, R), a) / size).toBeLessThan(1e-14);
      expect(skewness(Q)).toBeLessThan(1e-14);
    }
  });

  test("svd", () => {
    for (const fullMatrices of [false, true]) {
      const { U, S, Vh } = svd(a, { fullMatrices });
      const k = S.size;
      expect(skewness(U)).toBeLessThan(2e-14);
      expect(skewness(transpose(Vh))).toBeLessThan(2e-14);
      const product = matmul(mul(U.slice(0, k, { axis: 1 }), S), Vh.slice(0, k));
      expect(far(product, a) / size).toBeLessThan(2e-14);
      expect([...S.toTypedArray()]).toEqual([...S.toTypedArray()].sort((x, y) => y - x));
    }
  });

  test("pinv", () => {
    const product = matmul(div(a, size), matmul(pinv(div(a, size)), div(a, size)));
    expect(far(product, div(a, size))).toBeLessThan(1e-13);
  });

  test("eigh of its symmetric part", () => {
    if (a.shape[0] !== a.shape[1]) return;
    const { eigenvalues, eigenvectors } = eigh(a);
    const product = matmul(mul(eigenvectors, eigenvalues), transpose(eigenvectors));
    expect(far(product, a.add(transpose(a)).mul(0.5)) / size).toBeLessThan(2e-14);
    expect(skewness(eigenvectors)).toBeLessThan(2e-14);
  });
});

test("eigenvalues are ascending, and the first of an eigenvector's largest elements is positive", () => {
  const { eigenvalues, eigenvectors } = eigh(
    float64([
      [0, 1],
      [1, 0],
    ]),
  ); // prettier-ignore
  expect(eigenvalues.toTypedArray()[0]).toBeCloseTo(-1, 15);
  expect(eigenvectors.toTypedArray()[0]).toBeCloseTo(Math.SQRT1_2, 15);
  expect(eigenvectors.toTypedArray()[1]).toBeCloseTo(Math.SQRT1_2, 15);
});

test("NaN spreads and ends no loop", () => {
  const a = float64([
    [Number.NaN, 1],
    [1, 2],
  ]); // prettier-ignore
  const found = [det(a), eigh(a).eigenvalues, svd(a).S, pinv(a), matrixExp(a), slogdet(a).logabsdet];
  for (const x of found) expect(x.toTypedArray().every(Number.isNaN)).toBe(true);
});

test("matrices without rows or columns have factors", () => {
  expect(qr(zeros([0, 2]), { mode: "complete" }).R.shape).toEqual([0, 2]);
  expect(qr(zeros([2, 0]), { mode: "complete" }).Q.toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]); // prettier-ignore
  expect(svd(zeros([2, 0])).U.toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]); // prettier-ignore
  expect(svd(zeros([0, 2, 2])).Vh.shape).toEqual([0, 2, 2]);
  expect(lstsq(zeros([0, 2]), zeros([0])).toArray()).toEqual([0, 0]);
  expect(det(zeros([0, 0])).item()).toBe(1);
});

describe("what has no derivative says so where it is asked for", () => {
  const a = matrix(3, 2);
  test.each([
    ["qr", () => qr(a, { mode: "complete" }).R, 'mode "reduced"'],
    ["svd", () => svd(a).U, "fullMatrices: false"],
  ] as const)("%s", (name, make, remedy) => {
    const y = make().sum();
    expect(() => grad(y, [a])).toThrow(GradientError);
    expect(() => grad(y, [a])).toThrow(new RegExp(`^${name}: .*${remedy}`));
  });

  test("the singular values of full matrices have one", () => {
    expect(checkGradient((x) => svd(x).S, [a]).pass).toBe(true);
  });
});

test("where all eigenvalues or singular values are equal, their sums have a gradient", () => {
  const a = identity(2);
  const of = (y: Tensor) => grad(y, [a])[0]!.toArray();
  expect(of(eigh(a).eigenvalues.sum())).toEqual(a.toArray());
  expect(of(svd(a).S.sum())).toEqual(a.toArray());
});

test("a singular matrix leaves the derivatives of slogdet by the others of its batch alone", () => {
  const alone = matrix(2, 2);
  const batch = stack([alone.mul(0), alone]);
  const log = (x: Tensor) => slogdet(x).logabsdet;
  const slopes = grad(log(alone), [alone])[0]!.toArray();
  const by = (y: Tensor) => grad(y, [batch])[0]!.toArray();
  expect(by(log(batch).sum())).toEqual([Array(2).fill([NaN, NaN]), slopes]);
  // A branch that is not taken does not count.
  const taken = by(where(log(batch).gt(-Infinity), log(batch), 0).sum());
  expect(taken).toEqual([zeros([2, 2]).toArray(), slopes]);
  const [, tangent] = jvp(([x]: Tensor[]) => log(x!))([batch], [stack([alone, alone])]);
  expect(tangent.toArray()).toEqual([NaN, 2]);
});

describe("derivatives of third order", () => {
  const a = matrix(3, 3).add(
    float64([
      [4, 0, 0],
      [0, 2, 0],
      [0, 0, -3],
    ]),
  ); // prettier-ignore
  const weights = matrix(3, 3, 5);
  const third: Record<string, (x: Tensor) => Tensor> = {
    det: (x) => det(x),
    slogdet: (x) => slogdet(x).logabsdet,
    triangularSolve: (x) => triangularSolve(tril(x), weights).mul(weights).sum(),
    qr: (x) => qr(x).Q.mul(weights).sum().add(qr(x).R.mul(weights).sum()),
    eigh: (x) => eigh(x).eigenvectors.mul(weights).sum().add(eigh(x).eigenvalues.square().sum()),
    svd: (x) => svd(x).U.mul(weights).sum().add(svd(x).Vh.mul(weights).sum()).add(svd(x).S.square().sum()),
    pinv: (x) =>
      pinv(x.slice(0, 2))
        .mul(weights.slice(0, 2, { axis: 1 }))
        .sum(),
    matrixExp: (x) => matrixExp(x.mul(0.2)).mul(weights).sum(),
  };
  for (const [name, f] of Object.entries(third))
    test(`of ${name} equal finite differences of the second`, () => {
      const report = checkGradient((x) => grad(f(x), [x])[0]!, [a], { order: 2, directions: 2 });
      if (!report.pass) throw new Error(String(report));
    });

  test("of the determinant are right where the matrix is 0", () => {
    const [zero, t] = [matrix(3, 3).mul(0), matrix(3, 3, 3)];
    const along = (f: (x: Tensor) => Tensor) => (x: Tensor) => jvp(([y]: Tensor[]) => f(y!))([x], [t])[1];
    const found = along(along(along((x) => det(x))))(zero);
    expect(found.item()).toBeCloseTo(6 * det(t).item(), 12);
  });
});

test("the determinant's second derivative at a singular matrix equals finite differences", () => {
  for (const a of [matmul(matrix(4, 2), matrix(2, 4, 2)), matmul(matrix(4, 3), matrix(3, 4, 2))]) {
    // Of the first derivative alone only rounding is left where the rank is two less.
    expect(checkGradient((x) => det(x), [a], { order: 2 }).verdict).not.toBe("fail");
    expect(checkGradient((x) => det(x).add(x.sum()), [a], { order: 2 }).pass).toBe(true);
  }
});

test("the exponential of a large matrix is that of a small one, squared", () => {
  const a = matrix(4, 4).mul(10);
  const expected = matrixPower(matrixExp(a.mul(1 / 16)), 16);
  expect(far(matrixExp(a), expected) / largest(expected)).toBeLessThan(1e-12);
  expect(matrixExp(float64([[-1000]])).item()).toBe(0);
});

test("pinv takes singular values for 0 up to the cutoff, whatever way it goes", () => {
  const [cos, sin] = [0.6, 0.8];
  const double = (rows: number[][]) => tensor(rows, { dtype: "float64" });
  for (const size of [0.5, 0.02, 0.0101, 0.0099, 1e-5, 0]) {
    const inverse = size > 0.01 ? 1 / size : 0;
    const tall = double([
      [cos, -sin * size],
      [sin, cos * size],
      [0, 0],
    ]); // prettier-ignore
    const expected = double([
      [cos, sin, 0],
      [-sin * inverse, cos * inverse, 0],
    ]); // prettier-ignore
    expect(far(pinv(tall, { rcond: 0.01 }), expected)).toBeLessThan(1e-11);
    expect(far(pinv(transpose(tall), { rcond: 0.01 }), transpose(expected))).toBeLessThan(1e-11);
  }
});

describe("what is made of factorizations", () => {
  const square = matmul(matrix(4, 4), transpose(matrix(4, 4))).add(identity(4));
  const batch = stack([square, matrix(4, 4, 5)]);

  test("logdet is the logarithm of det, NaN below 0", () => {
    expect(far(logdet(square), det(square).log())).toBeLessThan(1e-13);
    const negative = float64([
      [0, 2],
      [1, 0],
    ]);
    expect(logdet(stack([negative, identity(2), negative.mul(0)])).toArray()).toEqual([
      Number.NaN,
      0,
      -Infinity,
    ]);
    expect(
      logdet(
        float64([
          [Number.NaN, 1],
          [1, 1],
        ]),
      ).item(),
    ).toBeNaN();
    const [g] = grad(logdet(square), [square]);
    expect(far(g, transpose(inv(square)))).toBeLessThan(1e-13);
    expect(() => logdet(zeros([2, 3]))).toThrow("logdet: shape [2, 3]");
  });

  test("choleskySolve solves from either factor, for vectors and batches", () => {
    const l = cholesky(square);
    for (const b of [matrix(4, 2, 3), matrix(4, 1, 3).squeeze(1), stack([matrix(4, 2), matrix(4, 2, 7)])]) {
      const x = solve(square, b);
      expect(far(choleskySolve(b, l), x)).toBeLessThan(1e-12);
      expect(far(choleskySolve(b, transpose(l), { upper: true }), x)).toBeLessThan(1e-12);
      // The other triangle is not read.
      expect(far(choleskySolve(b, l.add(triu(matrix(4, 4), { diagonal: 1 }))), x)).toBeLessThan(1e-12);
    }
    expect(() => choleskySolve(zeros([3]), l)).toThrow(ShapeError);
    expect(checkGradient((a: Tensor) => choleskySolve(matrix(4, 2), cholesky(a)), [square]).pass).toBe(true);
  });

  test("svdvals and eigvalsh are what svd and eigh have", () => {
    for (const [name, a] of kinds) expect(svdvals(a).toArray(), name).toEqual(svd(a).S.toArray());
    expect(eigvalsh(batch).toArray()).toEqual(eigh(batch).eigenvalues.toArray());
    for (const [of, a] of [
      [svdvals, identity(3)],
      [eigvalsh, identity(3)],
    ] as const)
      expect(grad(of(a).sum(), [a])[0].toArray()).toEqual(identity(3).toArray());
    expect(svdvals(zeros([2, 0, 3])).shape).toEqual([2, 0]);
    expect(() => svdvals(zeros([3]))).toThrow("svdvals: takes matrices");
    expect(() => eigvalsh(zeros([2, 3]))).toThrow("eigvalsh: shape [2, 3]");
  });

  test("norms of matrices bound one another", () => {
    for (const [name, a] of kinds) {
      if (/square to/.test(name)) continue;
      const [fro, nuc, two, one, rows] = (["fro", "nuc", 2, 1, Infinity] as const).map((p) =>
        matrixNorm(a, { p }).item(),
      );
      expect(two, name).toBeLessThanOrEqual(fro! * (1 + 1e-12));
      expect(fro, name).toBeLessThanOrEqual(nuc! * (1 + 1e-12));
      expect(two! ** 2, name).toBeLessThanOrEqual(one! * rows! * (1 + 1e-12));
      expect(rows, name).toBe(matrixNorm(transpose(a), { p: 1 }).item());
      expect(fro, name).toBeCloseTo(norm(a).item(), 12);
    }
    expect(matrixNorm(batch, { p: -2, keepDims: true }).shape).toEqual([2, 1, 1]);
    expect(far(matrixNorm(inv(square), { p: 2 }), matrixNorm(square, { p: -2 }).reciprocal())).toBeLessThan(
      1e-12,
    );
    expect(matrixNorm(zeros([0, 2, 2]), { p: 2 }).shape).toEqual([0]);
    expect(matrixNorm(zeros([2, 0]), { p: "nuc" }).item()).toBe(0);
    expect(() => matrixNorm(zeros([0, 2]), { p: 2 })).toThrow("there is no matrixNorm of nothing");
    for (const p of [3, Number.NaN, "row" as never])
      expect(() => matrixNorm(square, { p })).toThrow("matrixNorm: p is");
    expect(() => matrixNorm(zeros([2]))).toThrow(ShapeError);
  });

  test("ranks are counted above the tolerance", () => {
    const ranks = kinds.map(([name, a]) => [name, matrixRank(a).item()]);
    expect(Object.fromEntries(ranks)).toMatchObject({
      tall: 7,
      wide: 7,
      "of rank 3": 3,
      "of ones": 1,
      "of zeros": 0,
    });
    const a = float64([
      [1, 0],
      [0, 1e-3],
    ]);
    for (const hermitian of [false, true]) {
      expect(matrixRank(a, { hermitian }).item()).toBe(2);
      expect(matrixRank(a, { hermitian, rtol: 0.01 }).item()).toBe(1);
      expect(matrixRank(a, { hermitian, atol: 0.01 }).item()).toBe(1);
      expect(matrixRank(a.neg(), { hermitian, atol: 2 }).item()).toBe(0);
    }
    expect(matrixRank(stack([a, a.mul(0)])).toArray()).toEqual([2, 0]);
    for (const wrong of [{ atol: -1 }, { rtol: Number.NaN }])
      expect(() => matrixRank(a, wrong)).toThrow("matrixRank: atol is");
    expect(() => matrixRank(zeros([2, 3]), { hermitian: true })).toThrow(ShapeError);
  });
});

describe("several matrices", () => {
  test("are multiplied in the cheapest order", () => {
    const parts = [
      [2, 50],
      [50, 3],
      [3, 40],
      [40, 1],
    ].map(([rows, columns], i) => matrix(rows!, columns!, i));
    const [a, b, c, d] = parts as [Tensor, Tensor, Tensor, Tensor];
    const out = multiDot(parts);
    expect(far(out, matmul(matmul(matmul(a, b), c), d))).toBeLessThan(1e-12);
    // From the right it takes 40 * 3 + 3 * 50 + 50 * 2 products.
    expect(out.toArray()).toEqual(matmul(a, matmul(b, matmul(c, d))).toArray());
    expect(multiDot([a.at(0), b, c, d.squeeze(1)]).shape).toEqual([]);
    expect(multiDot([matrix(1, 0), matrix(0, 3)]).toArray()).toEqual([[0, 0, 0]]);
  });

  test("that do not fit are refused", () => {
    const a = zeros([2, 2]);
    expect(() => multiDot([a, zeros([3, 2])])).toThrow(
      "multiDot: factors 0 and 1 have shapes [2, 2] and [3, 2]",
    );
    expect(() => multiDot([a, zeros([2]), zeros([2])])).toThrow("multiDot: factor 1 has shape [2]");
    expect(() => multiDot([zeros([1, 2, 2]), a])).toThrow(ShapeError);
    for (const wrong of [[a], [], a])
      expect(() => multiDot(wrong as never)).toThrow("multiDot: takes an array of at least two");
    expect(() => multiDot([a, 1 as never])).toThrow(ValueError);
    expect(() => multiDot([a, a.gt(0)])).toThrow(DTypeError);
    expect(() => blockDiag([zeros([1, 2, 2])])).toThrow("blockDiag: takes matrices, got shape [1, 2, 2]");
    for (const wrong of [[], a]) expect(() => blockDiag(wrong as never)).toThrow("blockDiag: takes an array");
  });

  test("along a diagonal have the product of their determinants", () => {
    const [a, b] = [matrix(3, 3), matrix(2, 2, 4)];
    const both = blockDiag([a, b]);
    expect(far(det(both), mul(det(a), det(b)))).toBeLessThan(1e-14);
    expect(far(both.sum(), a.sum().add(b.sum()))).toBeLessThan(1e-14);
    expect(blockDiag([tensor(2), tensor([1, 3])]).toArray()).toEqual([
      [2, 0, 0],
      [0, 1, 3],
    ]);
    expect(blockDiag([zeros([0, 1]), tensor([[true]])]).toArray()).toEqual([[0, 1]]);
  });
});
