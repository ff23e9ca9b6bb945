import { compile, gather, randint, type Tensor, tensor, uniform, variable } from "@cotangent/autograd";
import { describe, expect, test } from "vitest";
import { same } from "../bits.ts";

/** How many bytes a call reads and writes, after it was compared with the interpreter. */
function bytes(
  f: (...args: Tensor[]) => Tensor[],
  args: readonly Tensor[],
): { read: number; written: number } {
  same(f, args);
  const compiled = compile(f);
  compiled(...args);
  const [read, written] = ["reads", "writes"].map((name) =>
    Number(new RegExp(`${name} +([\\d,]+)`).exec(compiled.explain())?.[1]?.replaceAll(",", "")),
  ) as [number, number];
  return { read, written };
}

const written = (...call: Parameters<typeof bytes>): number => bytes(...call).written;

/** How many kernels a function of a matrix, another one and a row takes, after it was compared with the interpreter. */
function kernels(f: (x: Tensor, w: Tensor, b: Tensor) => Tensor[]): number {
  const args = [uniform([8, 16]), uniform([16, 12]), uniform([12])] as const;
  same(f, args);
  const compiled = compile(f);
  compiled(...args);
  return Number(/^kernels: (\d+)/m.exec(compiled.explain())?.[1]);
}

describe("what several kernels read is computed in each of them", () => {
  test("if it takes few steps: a square counts its operand once", () => {
    // The product, and two sums.
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b);
        return [y.square().sum(0), y.square().sum(1)];
      }),
    ).toBe(3);
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b);
        const square = y.mul(y);
        return [square.sum(0), square.sum(1)];
      }),
    ).toBe(3);
  });

  test("and not if it takes many", () => {
    expect(
      kernels((x, w, b) => {
        const y = x.matmul(w).add(b).tanh();
        return [y.sum(0), y.sum(1)];
      }),
    ).toBe(4);
  });
});

test("of a long chain that two kernels read its end alone is stored", () => {
  const x = uniform([64, 64]);
  const sums = (y: Tensor) => [y.sum(0), y.sum(1)];
  for (const length of [4, 6, 8])
    expect(
      written((x) => sums(Array.from({ length }).reduce((y: Tensor, _, i) => y.mul(2).add(i), x!)), [x]),
    ).toBe(4 * (64 * 64 + 2 * 64));
});

test("differences of all pairs are computed in each of two sums and stored nowhere", () => {
  const args = [uniform([128, 64]), uniform([128, 64]), uniform([128, 128])] as const;
  const sums = (p: Tensor, q: Tensor, w: Tensor) => {
    const pairs = p.unsqueeze(1).sub(q.unsqueeze(0)).mul(2).mul(w.unsqueeze(2));
    return [pairs.sum(0), pairs.sum(1)];
  };
  expect(written((...xs) => sums(...(xs as [Tensor, Tensor, Tensor])), args)).toBe(4 * 2 * 128 * 64);
});

test("what is made of a costly node alone and shared is stored in its place, and its operands are read once", () => {
  const [x, w] = [uniform([128, 64]), uniform([128, 64])];
  const [size, sums] = [4 * 128 * 64, 4 * (128 + 64)];
  const both = (y: Tensor) => [y.sum(0), y.sum(1)];
  expect(bytes((x, w) => both(w!.tanh().mul(x!)), [x, w])).toEqual({ read: 4 * size, written: size + sums });
  // Read for something else, too, or without another operand of this size, or small, it stays.
  const other = bytes((x, w) => [...both(w!.tanh().mul(x!)), w!.tanh()], [x, w]);
  expect(other).toEqual({ read: 5 * size, written: size + sums });
  const twice = bytes((x, w) => [...both(w!.tanh().mul(x!)), w!.tanh().sum(0)], [x, w]);
  expect(twice).toEqual({ read: 6 * size, written: size + sums + 4 * 64 });
  expect(bytes((x) => both(x!.tanh().mul(2)), [x])).toEqual({ read: 3 * size, written: size + sums });
  const [a, b] = [uniform([8, 8]), uniform([8, 8])];
  expect(bytes((x, w) => both(w!.tanh().mul(x!)), [a, b])).toEqual({
    read: 4 * 5 * 64,
    written: 4 * (64 + 16),
  });
});

describe("what is picked from a table of another shape", () => {
  const x = uniform([40, 50]);
  const places = (count: number) => randint(0, count, [7]);
  const columns = [places(40), places(50)] as const;
  for (const index of columns) index.toArray();

  test("is picked from where the table lies", () => {
    const few = written((x) => [x!.at(...columns)], [x]);
    expect(few).toBeLessThan(500);
    const rows = (y: Tensor) => gather(y.reshape([50, 40]).reshape([2000]), 0, columns[0]!);
    expect(written((x) => [rows(x!)], [x])).toBe(4 * 7);
    // Computed it lies there once, and in another order twice.
    expect(written((x) => [rows(x!.tanh())], [x])).toBe(4 * (2000 + 7));
    expect(written((x) => [rows(x!.tanh().transpose())], [x])).toBe(4 * (2000 + 7));
    expect(written((x) => [rows(x!), x!.reshape([2000])], [x])).toBe(4 * (2000 + 7));
  });

  test("is what it was before a variable is assigned", () => {
    const table = variable(x);
    const step = compile((factor: Tensor) => {
      const picked = gather(table.reshape([2000]), 0, columns[0]!);
      table.assign(table.mul(factor));
      return picked;
    });
    const before = gather(x.reshape([2000]), 0, columns[0]!);
    expect(step(tensor(2)).toArray()).toEqual(before.toArray());
    expect(step(tensor(2)).toArray()).toEqual(before.mul(2).toArray());
  });
});
