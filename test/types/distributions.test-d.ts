import type { Tensor } from "@cotangent/autograd";
import { zeros } from "@cotangent/autograd";
import type { Distribution } from "@cotangent/nn/distributions";
import {
  Bernoulli,
  Categorical,
  Independent,
  klDivergence,
  MultivariateNormal,
  Normal,
} from "@cotangent/nn/distributions";
import { expectTypeOf, test } from "vitest";

const row = zeros([3]);

test("a distribution is made of numbers and tensors, and gives tensors", () => {
  const p = new Normal(0, row);
  expectTypeOf(p.logProb(1)).toEqualTypeOf<Tensor>();
  expectTypeOf(p.rsample([2], {})).toEqualTypeOf<Tensor>();
  expectTypeOf(p.loc).toEqualTypeOf<Tensor>();
  expectTypeOf(klDivergence(p, p)).toEqualTypeOf<Tensor>();
  expectTypeOf(p).toExtend<Distribution>();
  // @ts-expect-error The scale is missing.
  new Normal(0);
  // @ts-expect-error The dtype is that of the parameters.
  p.sample([2], { dtype: "float64" });
});

test("what joins others knows their kind", () => {
  expectTypeOf(new Independent(new Normal(0, row), 1).base).toEqualTypeOf<Normal>();
});

test("weights and covariances are given in one of two ways", () => {
  expectTypeOf(new Bernoulli({ logits: 0 }).probabilities).toEqualTypeOf<Tensor>();
  // @ts-expect-error Both are given.
  new Bernoulli({ logits: 0, probabilities: 0.5 });
  // @ts-expect-error Classes have an axis.
  new Categorical({ logits: 0 });
  // @ts-expect-error The covariance is missing.
  new MultivariateNormal(row, {});
});
