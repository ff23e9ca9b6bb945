import type { Shape } from "@cotangent/autograd/functional";
import { exp, mul, ShapeError, square, sub, sum, Tensor, unsqueeze } from "@cotangent/autograd/functional";
import { Buffer, Module } from "../module.ts";
import { checkPositive, optionsOf } from "../options.ts";
import { checkTensor } from "./settings.ts";

export interface RBFFeaturesOptions {
  /** How fast a feature falls off with the squared distance; 1 unless given. */
  readonly gamma?: number | undefined;
}

/**
 * Radial basis functions: `exp(-gamma |x - c|^2)` for `x` [..., d] and each of the `centers` [m, d], as features [..., m]. With the
 * examples as centers, a `Linear` layer and `hinge` this is a support vector machine with that kernel.
 *
 * Throws ShapeError unless the centers are a matrix, ValueError unless `gamma` is a number above 0; `forward` throws ShapeError if the
 * last axis of `x` is not `d` long.
 *
 * @example
 * ```ts
 * import { tensor } from "@cotangent/autograd";
 * import { Adam, Linear, RBFFeatures, Sequential } from "@cotangent/nn";
 * import { hinge } from "@cotangent/nn/loss";
 * const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
 * const xor = tensor([[-1], [1], [1], [-1]]);
 * const machine = new Sequential(new RBFFeatures(x, { gamma: 2 }), new Linear(4, 1));
 * const optimizer = new Adam(machine.parameters(), { lr: 0.1 });
 * for (let i = 0; i < 100; i++) optimizer.step(hinge(machine.forward(x), xor));
 * machine.forward(x).sign().toArray(); // => -1,1,1,-1
 * ```
 */
export class RBFFeatures extends Module {
  readonly centers: Buffer;
  readonly gamma: number;

  constructor(centers: Tensor, options: RBFFeaturesOptions = {}) {
    super();
    const { gamma = 1 } = optionsOf("RBFFeatures", options, { gamma: true });
    if (!(centers instanceof Tensor) || centers.rank !== 2)
      throw new ShapeError(
        `RBFFeatures: takes centers [m, d], got ${centers instanceof Tensor ? `shape [${centers.shape.join(", ")}]` : String(centers)}`,
      );
    checkPositive("RBFFeatures: gamma", gamma);
    this.centers = new Buffer<Shape>(centers).named("centers");
    this.gamma = gamma;
  }

  forward(x: Tensor): Tensor {
    const [m, d] = this.centers.shape as [number, number];
    checkTensor("RBFFeatures", x);
    if (x.shape.at(-1) !== d)
      throw new ShapeError(`RBFFeatures(${m}, ${d}): takes [..., ${d}], got shape [${x.shape.join(", ")}]`);
    const away = sub(unsqueeze(x, -2) as Tensor, this.centers) as Tensor;
    return exp(mul(sum(square(away), -1) as Tensor, -this.gamma) as Tensor);
  }

  protected override details(): string {
    return `${this.centers.shape[0]}, ${this.centers.shape[1]}, gamma=${this.gamma}`;
  }
}
