import "@cotangent/autograd/testing/vitest";
import { type Tensor, tensor } from "@cotangent/autograd";
import { expect, expectTypeOf, test } from "vitest";

const x = tensor([1, 2]);

test("matchers give nothing, so that a property may end in one", () => {
  const f = (a: Tensor): Tensor => a.exp();
  expectTypeOf(expect(f).toHaveCorrectGradient([x])).toBeVoid();
  expectTypeOf(expect(x).toBeCloseToTensor(x, { tolerance: 1e-3 })).toBeVoid();
  expectTypeOf(expect(x).not.toMatchGraph("")).toBeVoid();
  // @ts-expect-error A tensor is wanted.
  expect(x).toBeCloseToTensor(1);
});
