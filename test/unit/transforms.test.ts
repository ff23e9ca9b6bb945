import { hvp, jvp, scalar, type Tensor } from "@cotangent/autograd";
import { expect, test } from "vitest";

interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

test("tangents belong to inputs by their keys, in whatever order they are written", () => {
  const f = ({ a, b }: Pair) => a.mul(b.square());
  const x: Pair = { a: scalar(2), b: scalar(3) };
  const written: Pair = { a: scalar(1), b: scalar(0) };
  const turned: Pair = { b: scalar(0), a: scalar(1) };
  for (const t of [written, turned]) {
    expect(jvp(f)(x, t)[1].item()).toBe(9);
    const { a, b } = hvp(f)(x, t);
    expect([a.item(), b.item()]).toEqual([0, 6]);
  }
});
