import { hessian, hvp, jvp, lerp, pushforward, scalar, type Tensor, tensor } from "@cotangent/autograd";
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

test("tangents end where there are no floats, as cotangents do", () => {
  const x = tensor([1.5, 2.5]);
  const t = tensor([1, 1]);
  const whole = (z: Tensor) => z.cast("int32").cast("float32");
  expect(jvp(whole)(x, t)[1].toArray()).toEqual([0, 0]);
  expect(jvp((z: Tensor) => z.gt(2).cast("float32"))(x, t)[1].toArray()).toEqual([0, 0]);
  expect(pushforward(whole(x).mul(x), [x], [t]).toArray()).toEqual([1, 2]);
  const f = (z: Tensor) => whole(z).mul(z.square()).sum();
  expect(hessian(f)(x).toArray()).toEqual([
    [2, 0],
    [0, 4],
  ]);
  expect(hvp(f)(x, t).toArray()).toEqual([2, 4]);
  const table = tensor([0, 1, 4, 9]);
  const between = (z: Tensor) => {
    const i = z.cast("int32");
    return lerp(table.at(i), table.at(i.add(1)), z.sub(i));
  };
  expect(jvp(between)(x, t)[1].toArray()).toEqual([3, 5]);
});
