import type { MatMul, SizesOf, Tensor } from "@cotangent/autograd/functional";
import { sigmoid, softmax } from "@cotangent/autograd/functional";
import { Linear } from "./linear.ts";

/**
 * Logistic regression: the probability of yes for `x` [..., in], or with several outputs that of each class, from a linear layer and
 * `sigmoid` or `softmax`. Train it on its `logits` with `bceWithLogits` or `crossEntropy`, which are exact where probabilities are
 * not. Throws as `Linear` does.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { LogisticRegression, SGD } from "@cotangent/nn";
 * import { bceWithLogits } from "@cotangent/nn/loss";
 * const [x, y] = [tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([[0], [1], [1], [1]])];
 * const model = new LogisticRegression(2);
 * const optimizer = new SGD(model.parameters(), { lr: 5 });
 * for (let i = 0; i < 100; i++) optimizer.step(bceWithLogits(model.logits(x), y));
 * model.forward(x).gt(0.5).cast("int32").toArray(); // => 0,1,1,1
 * ```
 */
export class LogisticRegression<const I extends number = number, const O extends number = 1> extends Linear<
  I,
  O
> {
  constructor(inFeatures: I, outFeatures: O = 1 as O, options: ConstructorParameters<typeof Linear>[2] = {}) {
    super(inFeatures, outFeatures, options);
  }

  /** What the probabilities are made of: any numbers. */
  logits<X extends Tensor>(x: X): Tensor<MatMul<SizesOf<X>, [I, O]>> {
    return super.forward(x);
  }

  override forward<X extends Tensor>(x: X): Tensor<MatMul<SizesOf<X>, [I, O]>> {
    const logits = super.forward(x);
    return (this.outFeatures as number) === 1 ? sigmoid(logits) : softmax(logits, -1);
  }
}
