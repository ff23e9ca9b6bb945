import {
  checkGradient,
  fromTypedArray,
  type GradientReport,
  grad,
  rebuild,
  type Tensor,
  type Variable,
} from "@cotangent/autograd";

/** The derivative of the loss by one weight, from the graph and from moving the weight. */
interface WeightCheck {
  readonly name: string;
  readonly gradient: number;
  readonly differences: number;
}

export interface Check {
  readonly weights: readonly WeightCheck[];
  /** By how much each weight was moved up and down. */
  readonly h: number;
  /** The largest disagreement of the two. */
  readonly worst: number;
  /** What `checkGradient` finds along random directions through all weights at once. */
  readonly report: GradientReport;
}

/** Moves each weight a little up and a little down, and compares the change of the loss with what `grad` says. */
export function checkWeights(loss: Tensor, parameters: ReadonlyMap<string, Variable>): Check {
  const h = 1e-5;
  const weights = [...parameters].flatMap(([name, parameter]) => {
    const gradients = grad(loss, [parameter])[0].toTypedArray();
    const values = parameter.toTypedArray();
    const lossAt = (i: number, value: number): number => {
      const moved = fromTypedArray(values.with(i, value), parameter.shape);
      return replaced(loss, [parameter], [moved]).item();
    };
    return Array.from(values, (weight, i) => ({
      name: `${name}[${indices(i, parameter.shape).join(",")}]`,
      gradient: gradients[i]!,
      differences: (lossAt(i, weight + h) - lossAt(i, weight - h)) / (2 * h),
    }));
  });
  const worst = Math.max(...weights.map(({ gradient, differences }) => Math.abs(gradient - differences)));
  const all = [...parameters.values()];
  const report = checkGradient((...others) => replaced(loss, all, others), all);
  return { weights, h, worst, report };
}

/** The same graph with other tensors in the place of some variables. */
function replaced(y: Tensor, variables: readonly Variable[], others: readonly Tensor[]): Tensor {
  return rebuild([y], new Map(variables.map((variable, i) => [variable.node, others[i]!])))[0]!;
}

/** `[1, 0]` for element 2 of shape [3, 2]. */
function indices(element: number, shape: readonly number[]): number[] {
  let rest = element;
  const places = shape.toReversed().map((size) => {
    const place = rest % size;
    rest = (rest - place) / size;
    return place;
  });
  return places.reverse();
}
