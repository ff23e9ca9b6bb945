import { relu, ValueError } from "@cotangent/autograd/functional";
import type { Layer } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import { Linear, type LinearOptions } from "./linear.ts";
import { Sequential } from "./sequential.ts";

export interface MLPOptions extends LinearOptions {
  /** Follows each linear layer but the last; relu unless given. One that has parameters is shared by all places. */
  readonly activation?: Layer | undefined;
  /** Follows the last linear layer; nothing unless given. */
  readonly output?: Layer | undefined;
}

/**
 * A multilayer perceptron: linear layers of the given sizes with an activation between them, as a `Sequential`.
 *
 * Throws ValueError unless there are at least two sizes, all of them whole numbers of at least 1.
 *
 * @example
 * ```ts
 * import { sigmoid, tanh, tensor } from "@cotangent/autograd";
 * import { MLP } from "@cotangent/nn";
 * const model = new MLP([2, 3, 1], { activation: tanh, output: sigmoid });
 * model.forward(tensor([[0, 1]])).shape; // => [ 1, 1 ]
 * [...model.namedParameters().keys()]; // => [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * ```
 */
export class MLP extends Sequential {
  constructor(sizes: readonly number[], options: MLPOptions = {}) {
    super(...layersOf(sizes, options));
  }
}

function layersOf(sizes: readonly number[], options: MLPOptions): Layer[] {
  const {
    activation = relu,
    output,
    ...linear
  } = optionsOf("MLP", options, { activation: true, output: true, bias: "boolean", ...drawing });
  if (!Array.isArray(sizes) || sizes.length < 2)
    throw new ValueError(
      `MLP: takes the sizes of at least two layers, such as [2, 3, 1], got ${String(sizes)}`,
    );
  const layers = sizes.slice(1).flatMap((size, i): Layer[] => {
    const layer = new Linear(sizes[i]!, size, linear);
    return i === 0 ? [layer] : [activation, layer];
  });
  return output ? [...layers, output] : layers;
}
