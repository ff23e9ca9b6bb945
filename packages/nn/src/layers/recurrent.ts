import type { Tensor } from "@cotangent/autograd/functional";
import { ValueError } from "@cotangent/autograd/functional";
import { optionsOf } from "../options.ts";
import { gruGates, lstmGates, type Nonlinearity, plainGates } from "./gates.ts";
import { Recurrent, type RecurrentOptions, recurrent, type SequenceOptions } from "./recurrence.ts";

export interface RNNOptions extends RecurrentOptions {
  /** `"tanh"` unless given. */
  readonly nonlinearity?: Nonlinearity | undefined;
}

/**
 * A recurrent network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` at each step of `x` [steps, n, inputSize] ([n, steps, inputSize]
 * with `batchFirst`, or [steps, inputSize] for one sequence). `forward(x, h)` gives the outputs of the last layer at all steps,
 * [steps, n, hiddenSize] (twice as many features if `bidirectional`), and the last states of all layers and directions
 * [numLayers * directions, n, hiddenSize]; `h` are the first states, 0 unless given. With `forward(x, h, { lengths })` sequences end
 * after so many steps each. Parameters have PyTorch's names and layouts.
 *
 * Throws ValueError for options that make no sense; `forward` throws ShapeError if `x`, `h` or the lengths do not fit, DTypeError for
 * lengths that are not int32. Of lengths in a tensor those beyond the steps count as all of them.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { RNN } from "@cotangent/nn";
 * const model = new RNN(2, 3, { batchFirst: true });
 * const [output, h] = model.forward(ones([5, 7, 2]));
 * output.shape; // => [ 5, 7, 3 ]
 * h.shape; // => [ 1, 5, 3 ]
 * const [ended] = model.forward(ones([2, 3, 2]), undefined, { lengths: [3, 1] });
 * ended.at(1, 1).toArray(); // => [ 0, 0, 0 ]
 * [...model.namedParameters().keys()]; // => [ 'weightIhL0', 'weightHhL0', 'biasIhL0', 'biasHhL0' ]
 * ```
 */
export class RNN extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    const { nonlinearity = "tanh", ...rest } = optionsOf("RNN", options, {
      nonlinearity: true,
      ...recurrent,
    });
    super(plainGates("RNN", nonlinearity), inputSize, hiddenSize, rest);
  }

  forward(x: Tensor, h?: Tensor, options?: SequenceOptions): [output: Tensor, h: Tensor] {
    const [output, [last]] = this.run(x, [h], options);
    return [output, last!];
  }
}

/**
 * A network of gated recurrent units (Cho et al. 2014, https://arxiv.org/abs/1406.1078); the gates r, z, n lie in this order in the
 * rows of the weights. Takes and gives what `RNN` does.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { GRU } from "@cotangent/nn";
 * const [output, h] = new GRU(2, 3, { bidirectional: true }).forward(ones([7, 5, 2]));
 * output.shape; // => [ 7, 5, 6 ]
 * h.shape; // => [ 2, 5, 3 ]
 * ```
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(gruGates, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h?: Tensor, options?: SequenceOptions): [output: Tensor, h: Tensor] {
    const [output, [last]] = this.run(x, [h], options);
    return [output, last!];
  }
}

export interface LSTMOptions extends RecurrentOptions {
  /** Projects the state to so many features; not unless given (Sak et al. 2014, https://arxiv.org/abs/1402.1128). */
  readonly projSize?: number | undefined;
}

/**
 * A network with long short-term memory (Hochreiter and Schmidhuber 1997, Neural Computation 9); the gates i, f, g, o lie in this
 * order in the rows of the weights. `forward(x, [h, c])` takes and gives what `RNN` does, but the states are pairs: `h`, of
 * `projSize` features where that is given, and the cell `c`.
 *
 * Throws ValueError for options that make no sense; `forward` throws ShapeError if `x` or a state does not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { LSTM } from "@cotangent/nn";
 * const model = new LSTM(2, 3, { numLayers: 2 });
 * const [output, [h, c]] = model.forward(ones([7, 5, 2]));
 * output.shape; // => [ 7, 5, 3 ]
 * c.shape; // => [ 2, 5, 3 ]
 * model; // => LSTM(2, 3, numLayers=2)
 * ```
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    const { projSize = 0, ...rest } = optionsOf("LSTM", options, { projSize: true, ...recurrent });
    super(lstmGates, inputSize, hiddenSize, rest, projSize);
  }

  forward(
    x: Tensor,
    state?: readonly [h: Tensor, c: Tensor],
    options?: SequenceOptions,
  ): [output: Tensor, state: [h: Tensor, c: Tensor]] {
    if (state !== undefined && !(Array.isArray(state) && state.length === 2))
      throw new ValueError("LSTM: the first state is a pair [h, c]");
    const [output, [h, c]] = this.run(x, state ?? [], options);
    return [output, [h!, c!]];
  }
}
