import { eye, Generator, ShapeError, type Tensor, ValueError, variable, zeros } from "@cotangent/autograd";
import { Linear, Parameter } from "@cotangent/nn";
import * as initialize from "@cotangent/nn/initialize";
import { describe, expect, test } from "vitest";

const drawn = () => ({ generator: new Generator(3) });
const weight = (...shape: number[]): Parameter => new Parameter(zeros(shape, { dtype: "float64" }));
const largest = (x: Tensor): number => x.abs().amax().item();
const identity = (n: number): Tensor => eye(n, undefined, { dtype: "float64" });

describe("orthogonal", () => {
  test("has orthonormal rows if they are no more than the columns, else columns, times the gain", () => {
    for (const shape of [
      [5, 5],
      [3, 7],
      [7, 3],
      [1, 4],
      [4, 2, 3],
      [2, 1, 3],
    ]) {
      const gain = 1.5;
      const x = initialize.orthogonal(weight(...shape), { gain, ...drawn() });
      const matrix = x.reshape([shape[0]!, -1]);
      const [rows, columns] = matrix.shape as [number, number];
      const products =
        rows <= columns ? matrix.matmul(matrix.transpose()) : matrix.transpose().matmul(matrix);
      expect(largest(products.div(gain * gain).sub(identity(Math.min(rows, columns))))).toBeLessThan(1e-14);
    }
  });

  test("is Q of a QR factorization of normal draws, the diagonal of R positive", () => {
    // The draws fill the vectors that become orthogonal.
    const vectors = initialize.normal(weight(3, 4), drawn());
    const q = initialize.orthogonal(weight(4, 3), drawn());
    const r = q.transpose().matmul(vectors.transpose()).toArray() as number[][];
    r.forEach((row, i) => {
      row.forEach((value, j) => {
        if (j < i) expect(Math.abs(value)).toBeLessThan(1e-14);
      });
      expect(row[i]).toBeGreaterThan(0);
    });
  });

  test("has no preferred direction", () => {
    const generator = new Generator(5);
    const count = 400;
    let mean = 0;
    let square = 0;
    for (let i = 0; i < count; i++) {
      const x = initialize.orthogonal(weight(3, 3), { generator }).toTypedArray();
      mean += x[0]! / count;
      square += x[4]! ** 2 / count;
    }
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(square).toBeCloseTo(1 / 3, 1);
  });

  test("refuses vectors and gains below 0, keeps the dtype, and takes empty weights", () => {
    expect(() => initialize.orthogonal(weight(3))).toThrow(ShapeError);
    expect(() => initialize.orthogonal(weight(3))).toThrow(
      "orthogonal: a weight has at least the axes [out, in], got shape [3]",
    );
    expect(() => initialize.orthogonal(weight(2, 2), { gain: -1 })).toThrow("orthogonal: the gain is");
    expect(initialize.orthogonal(new Linear(2, 2).weight).dtype).toBe("float32");
    expect(initialize.orthogonal(weight(0, 2)).shape).toEqual([0, 2]);
  });
});

describe("sparse", () => {
  test("leaves zeros in each column, rounded up, at other places in each", () => {
    const x = initialize.sparse(weight(10, 50), 0.33, drawn());
    const zerosIn = x.eq(0).cast("int32").sum(0).toArray() as number[];
    expect(zerosIn.every((count) => count === 4)).toBe(true);
    const rows = x.eq(0).cast("int32").sum(1).toArray() as number[];
    expect(Math.min(...rows)).toBeGreaterThan(8);
    expect(Math.max(...rows)).toBeLessThan(32);
  });

  test("has the deviation that it is told", () => {
    const x = initialize.sparse(weight(200, 100), 0.5, { deviation: 3, ...drawn() });
    expect(Math.sqrt(x.square().mean().item() * 2)).toBeCloseTo(3, 1);
    const small = initialize.sparse(weight(200, 100), 0, drawn());
    expect(Math.sqrt(small.square().mean().item())).toBeCloseTo(0.01, 3);
    expect(largest(initialize.sparse(weight(4, 4), 1, drawn()))).toBe(0);
  });

  test("refuses other ranks, shares beyond 1 and deviations below 0", () => {
    expect(() => initialize.sparse(weight(2, 2, 2), 0.5)).toThrow(ShapeError);
    for (const share of [-0.1, 1.1, Number.NaN])
      expect(() => initialize.sparse(weight(2, 2), share)).toThrow(
        `sparse: sparsity is a share from 0 to 1, got ${share}`,
      );
    expect(() => initialize.sparse(weight(2, 2), 0.5, { deviation: -1 })).toThrow(ValueError);
  });
});

describe("dirac", () => {
  test("has a 1 in the middle of the field of each channel's own", () => {
    expect(initialize.dirac(weight(3, 2, 3)).toArray()).toEqual([
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
      [
        [0, 0, 0],
        [0, 1, 0],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ]);
    expect(initialize.dirac(weight(1, 1, 2, 3)).toArray()).toEqual([
      [
        [
          [0, 0, 0],
          [0, 1, 0],
        ],
      ],
    ]);
    expect(
      initialize
        .dirac(weight(2, 3, 1, 1, 1))
        .reshape([2, 3])
        .toArray(),
    ).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
  });

  test("repeats in each group", () => {
    expect(
      initialize
        .dirac(weight(4, 2, 1), { groups: 2 })
        .reshape([4, 2])
        .toArray(),
    ).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
  });

  test("refuses other ranks, and groups that do not divide the outputs", () => {
    expect(() => initialize.dirac(weight(2, 2))).toThrow(ShapeError);
    expect(() => initialize.dirac(weight(2, 2))).toThrow("dirac: a convolution's weight has 3 to 5 axes");
    for (const groups of [0, -1, 1.5, 4])
      expect(() => initialize.dirac(weight(6, 2, 3), { groups })).toThrow(
        "dirac: groups is a whole number above 0",
      );
  });
});

describe("truncatedNormal", () => {
  test("stays between its bounds, with the moments of the truncated distribution", () => {
    const x = initialize.truncatedNormal(weight(200, 100), {
      mean: 1,
      deviation: 2,
      low: 0,
      high: 2,
      ...drawn(),
    });
    const values = x.toTypedArray();
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(2);
    expect(x.mean().item()).toBeCloseTo(1, 2);
    // 4 (1 - 2 (1/2) phi(1/2) / (2 Phi(1/2) - 1))
    expect(x.variance().item()).toBeCloseTo(0.3225, 2);
  });

  test("is the same for the same generator, and keeps the dtype", () => {
    const fill = (x: Parameter) => initialize.truncatedNormal(x, drawn()).toArray();
    expect(fill(weight(3))).toEqual(fill(weight(3)));
    expect(initialize.truncatedNormal(variable([0, 0])).dtype).toBe("float32");
  });

  test("refuses bounds in the wrong order", () => {
    expect(() => initialize.truncatedNormal(weight(2), { low: 1, high: -1 })).toThrow(
      /^truncatedNormal: low is 1/,
    );
    expect(() => initialize.truncatedNormal(weight(2), { deviation: 0 })).toThrow(ValueError);
  });
});
