import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  ShapeError,
  squeeze,
  type Tensor,
  unsqueeze,
  ValueError,
  zeros,
} from "@cotangent/autograd/functional";
import { Module, type Parameter } from "../module.ts";
import { drawing, optionsOf } from "../options.ts";
import type { Gates, State } from "./gates.ts";
import { gruGates, lstmGates, type Nonlinearity, plainGates } from "./gates.ts";
import { drawParameter } from "./recurrence.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface CellOptions extends DrawOptions {
  /** Adds biases unless false. */
  readonly bias?: boolean | undefined;
}

/** One step of a recurrent network, for models that go through the steps themselves. */
abstract class Cell extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
  readonly #gates: Gates;

  constructor(gates: Gates, inputSize: number, hiddenSize: number, options: CellOptions) {
    super();
    const { bias = true, ...draw } = optionsOf(this.constructor.name, options, {
      bias: "boolean",
      ...drawing,
    });
    checkSizes(this.constructor.name, { inputSize, hiddenSize });
    const rows = gates.count * hiddenSize;
    const make = (name: string, shape: Shape) => drawParameter(name, shape, hiddenSize, draw);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.weightIh = make("weightIh", [rows, inputSize]);
    this.weightHh = make("weightHh", [rows, hiddenSize]);
    this.biasIh = bias ? make("biasIh", [rows]) : null;
    this.biasHh = bias ? make("biasHh", [rows]) : null;
    this.#gates = gates;
  }

  protected step(x: Tensor, given: readonly (Tensor | undefined)[]): State {
    const { inputSize, hiddenSize } = this;
    for (const y of [x, ...given]) if (y !== undefined || y === x) checkTensor(this.constructor.name, y);
    const single = x.rank === 1;
    const leading = x.shape.slice(0, -1);
    if (x.rank > 2 || x.shape.at(-1) !== inputSize) this.#refuse(`[n, ${inputSize}] or [${inputSize}]`, x);
    const state = Array.from({ length: this.#gates.states }, (_, k): Tensor => {
      const first = given[k] ?? (zeros([...leading, hiddenSize], { dtype: this.weightIh.dtype }) as Tensor);
      const shape = [...leading, hiddenSize].join(", ");
      if (first.shape.join(", ") !== shape) this.#refuse(`a state [${shape}]`, first);
      return single ? unsqueeze(first, 0) : first;
    });
    const out = this.#gates.prepare(this)(single ? unsqueeze(x, 0) : x, state as unknown as State);
    return single ? (out.map((y): Tensor => squeeze(y, 0)) as unknown as State) : out;
  }

  #refuse(takes: string, { shape }: Tensor): never {
    throw new ShapeError(
      `${this.constructor.name}(${this.inputSize}, ${this.hiddenSize}): takes ${takes}, got shape [${shape.join(", ")}]`,
    );
  }

  protected override details(): string {
    return `${this.inputSize}, ${this.hiddenSize}`;
  }
}

export interface RNNCellOptions extends CellOptions {
  /** `"tanh"` unless given. */
  readonly nonlinearity?: Nonlinearity | undefined;
}

/**
 * One step of an `RNN`: `forward(x, h)` for `x` [n, inputSize] or [inputSize] gives the next state [n, hiddenSize]; `h` is 0 unless
 * given. Throws ValueError for sizes that are not whole numbers above 0; `forward` throws ShapeError if a shape does not fit.
 *
 * @example
 * ```ts
 * import { ones } from "@cotangent/autograd";
 * import { RNNCell } from "@cotangent/nn";
 * const cell = new RNNCell(2, 3);
 * let h = cell.forward(ones([5, 2]));
 * h = cell.forward(ones([5, 2]), h);
 * h.shape; // => [ 5, 3 ]
 * ```
 */
export class RNNCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    const { nonlinearity = "tanh", ...rest } = optionsOf("RNNCell", options, {
      nonlinearity: true,
      bias: "boolean",
      ...drawing,
    });
    super(plainGates("RNNCell", nonlinearity), inputSize, hiddenSize, rest);
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.step(x, [h])[0];
  }
}

/** One step of a `GRU`; see `RNNCell`. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(gruGates, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.step(x, [h])[0];
  }
}

/** One step of an `LSTM`: `forward(x, [h, c])` gives the next `[h, c]`; see `RNNCell`. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(lstmGates, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    if (state !== undefined && !(Array.isArray(state) && state.length === 2))
      throw new ValueError("LSTMCell: the state is a pair [h, c]");
    const [h, c] = this.step(x, state ?? []);
    return [h, c!];
  }
}
