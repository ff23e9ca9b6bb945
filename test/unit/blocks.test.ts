/** Linear algebra in memory of WebAssembly and without it: the same bits, and factors that give the matrix again. */
import {
  add,
  cholesky,
  det,
  eigh,
  eye,
  inv,
  manualSeed,
  matmul,
  matrixExp,
  mul,
  normal,
  pinv,
  qr,
  solve,
  sub,
  svd,
  type Tensor,
  transpose,
  triangularSolve,
  unsqueeze,
} from "@cotangent/autograd";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  arrays,
  inner,
  rotate,
  subtractBoth,
  subtractProduct,
} from "../../packages/autograd/src/ops/linalg/blocks.ts";
import { mulberry32 } from "../mulberry.ts";

afterEach(() => vi.unstubAllGlobals());

/** Enough elements to lie in a memory of their own. */
const enough = 2048;

/** The same numbers twice: in a memory of WebAssembly, and elsewhere. */
function both(seed: number, ...lengths: number[]): readonly [there: Float64Array[], here: Float64Array[]] {
  const random = mulberry32(seed);
  const there = arrays(...lengths, enough).slice(0, -1);
  expect(
    there.every(({ buffer }) => buffer !== new Float64Array(0).buffer && buffer === there[0]!.buffer),
  ).toBe(true);
  for (const x of there) for (let i = 0; i < x.length; i++) x[i] = random() * 4 - 2;
  return [there, there.map((x) => x.slice())];
}

const upTo = (max: number) => fc.integer({ min: 0, max });

describe("arithmetic on blocks gives the same bits in WebAssembly", () => {
  test("products of blocks, in arrays that are wider", () => {
    fc.assert(
      fc.property(
        upTo(9),
        upTo(150),
        upTo(40),
        upTo(3),
        upTo(3),
        fc.nat(),
        (height, count, length, gap, at, seed) => {
          const [toWidth, factorWidth, width] = [length + gap, count + gap, length + 2 * gap];
          const [there, here] = both(
            seed,
            at + height * toWidth,
            at + height * factorWidth,
            at + count * width,
          );
          for (const [to, factors, rows] of [there, here] as [Float64Array, Float64Array, Float64Array][])
            subtractProduct(
              [height, count, length],
              to,
              at,
              toWidth,
              factors,
              at,
              factorWidth,
              rows,
              at,
              width,
            );
          expect(there).toEqual(here);
        },
      ),
    );
  });

  test("sums of two products, rotations and inner products", () => {
    fc.assert(
      fc.property(upTo(140), upTo(3), fc.nat(), (size, at, seed) => {
        const [there, here] = both(seed, at + size * (size + 1), size, size);
        const results = [there, here].map((list) => {
          const [m, v, w] = list as [Float64Array, Float64Array, Float64Array];
          subtractBoth(m, at, size + 1, v, w);
          const before = inner(v, w);
          rotate(v, w, 0.6, 0.8);
          return [before, inner(w, v)];
        });
        expect(results[0]).toEqual(results[1]);
        expect(there).toEqual(here);
      }),
    );
  });

  test("what is in it is what the formula says", () => {
    const [there] = both(1, 6, 4, 6);
    const [to, factors, rows] = there as [Float64Array, Float64Array, Float64Array];
    const expected = Array.from(to, (x, i) => {
      const [row, column] = [Math.floor(i / 3), i % 3];
      return x - factors[2 * row]! * rows[column]! - factors[2 * row + 1]! * rows[3 + column]!;
    });
    subtractProduct([2, 2, 3], to, 0, 3, factors, 0, 2, rows, 0, 3);
    expect([...to]).toEqual(expected);
  });
});

const float64 = { dtype: "float64" } as const;

/** Everything that is computed by blocks, of a matrix of normal numbers. */
function factors(rows: number, columns: number): Tensor[] {
  const a = normal([rows, columns], float64);
  const { Q, R } = qr(a);
  const { U, S, Vh } = svd(a, { fullMatrices: false });
  if (rows !== columns) return [a, Q, R, U, S, Vh, pinv(a)];
  const square = add(matmul(a, transpose(a)), eye(rows, float64));
  const { eigenvalues, eigenvectors } = eigh(square);
  const b = normal([rows, 9], float64);
  const l = cholesky(square);
  const upper = triangularSolve(transpose(l), b, { upper: true });
  const small = mul(a, 1 / rows);
  return [
    a,
    Q,
    R,
    U,
    S,
    Vh,
    pinv(a),
    square,
    l,
    eigenvalues,
    eigenvectors,
    b,
    solve(a, b),
    upper,
    inv(a),
    det(small),
    matrixExp(small),
  ];
}

const shapes: readonly (readonly [number, number])[] = [
  [67, 67],
  [100, 100],
  [97, 45],
  [40, 81],
  [130, 33],
  [261, 257],
];

test.each(shapes)("factors of a matrix of %i x %i give it again", (rows, columns) => {
  const apart = (x: Tensor, y: Tensor): number => Math.max(...sub(x, y).toTypedArray().map(Math.abs));
  const near = (x: Tensor, y: Tensor): void => expect(apart(x, y)).toBeLessThan(1e-11);
  const isOrthonormal = (x: Tensor): void => near(matmul(transpose(x), x), eye(x.shape[1]!, float64));
  const [a, Q, R, U, S, Vh, inverse, square, l, values, vectors, b, x, upper, regular] = factors(
    rows,
    columns,
  );
  near(matmul(Q!, R!), a!);
  isOrthonormal(Q!);
  near(matmul(mul(U!, unsqueeze(S!, 0)), Vh!), a!);
  isOrthonormal(U!);
  isOrthonormal(transpose(Vh!));
  near(matmul(matmul(a!, inverse!), a!), a!);
  if (!square) return;
  near(matmul(l!, transpose(l!)), square);
  near(matmul(mul(vectors!, unsqueeze(values!, 0)), transpose(vectors!)), square);
  isOrthonormal(vectors!);
  near(matmul(a!, x!), b!);
  near(matmul(transpose(l!), upper!), b!);
  near(matmul(a!, regular!), eye(rows, float64));
});

test("the matrices of a batch, which use the same arrays, have the factors that they have alone", () => {
  const batch = normal([3, 52, 47], float64);
  const each = (x: Tensor): Tensor[] => [
    ...Object.values(qr(x)),
    ...Object.values(svd(x, { fullMatrices: false })),
    ...Object.values(eigh(matmul(transpose(x), x))),
    pinv(x),
  ];
  const together = each(batch);
  for (const i of [0, 1, 2])
    each(batch.at(i)).forEach((alone, k) => {
      expect(together[k]!.at(i).toTypedArray()).toEqual(alone.toTypedArray());
    });
});

test.each(shapes)(
  "where WebAssembly is not to be had, those of %i x %i have the same bits",
  (rows, columns) => {
    const read = (): unknown[] => {
      manualSeed(rows);
      return factors(rows, columns).map((x) => x.toTypedArray());
    };
    const there = read();
    vi.stubGlobal("WebAssembly", undefined);
    expect(read()).toEqual(there);
  },
);
