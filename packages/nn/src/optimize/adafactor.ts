import type { Tensor } from "@cotangent/autograd/functional";
import {
  div,
  maximum,
  mean,
  minimum,
  mul,
  norm,
  pow,
  sqrt,
  square,
  sub,
  ValueError,
  zerosLike,
} from "@cotangent/autograd/functional";
import { checkList } from "../options.ts";
import { movingAverage } from "./formulas.ts";
import { Method, type MethodOptions, type Trainable } from "./groups.ts";
import { chain, type Transform } from "./transform.ts";
import { decayWeights, exact, type Hyperparameter, perStep, type Schedule } from "./transforms.ts";

interface Factoring {
  readonly rate: Hyperparameter;
  readonly beta2Decay: number;
  readonly eps: readonly [number | null, Hyperparameter];
  readonly d: Hyperparameter;
}

const alongRows = (x: Tensor): Tensor => mean(x, -1, { keepDims: true });
const alongColumns = (x: Tensor): Tensor => mean(x, -2, { keepDims: true });

/**
 * The gradient over the root of the running average of its squares, of which only the means of rows and of columns are kept; no
 * longer than its parameter.
 */
function scaleByFactors({
  rate,
  beta2Decay,
  eps: [least, scale],
  d,
}: Factoring): Transform<{ readonly [name: string]: Tensor }> {
  const numbers = perStep((step) => {
    const gained = pow(step, beta2Decay);
    const rho = minimum(exact(rate, step), div(1, sqrt(step)));
    return { gained, kept: sub(1, gained), rho, scale: exact(scale, step), d: exact(d, step) };
  });
  return {
    init: (parameter) => {
      const squares = zerosLike(parameter);
      if (parameter.rank < 2) return { variance: squares };
      return { rowVar: alongRows(squares), colVar: alongColumns(squares) };
    },
    update: (g, before, parameter, step) => {
      const { gained, kept, rho, scale, d } = numbers(step, g.dtype);
      const small = least ?? (g.dtype === "float64" ? 2 ** -52 : 2 ** -23);
      const average = (old: Tensor, x: Tensor): Tensor => movingAverage(old, kept, x, gained);
      const squares = square(g);
      const { rowVar, colVar, variance } = before;
      const state: Record<string, Tensor> =
        rowVar && colVar
          ? { rowVar: average(rowVar, alongRows(squares)), colVar: average(colVar, alongColumns(squares)) }
          : { variance: average(variance!, squares) };
      const estimate = state.variance ?? product(state.rowVar!, state.colVar!, small);
      const ratio = div(g, sqrt(maximum(estimate, small * small)));
      const unit = Math.sqrt(g.size);
      const length = maximum(1, div(div(norm(ratio), unit), d));
      const size = mul(maximum(div(norm(parameter), unit), scale), rho);
      return { update: mul(ratio, div(size, length)), state };
    },
  };
}

/** Of all matrices of rank 1 the one with these means of rows and columns. */
const product = (rows: Tensor, columns: Tensor, small: number): Tensor =>
  div(mul(rows, columns), maximum(alongColumns(rows), small));

export interface AdafactorOptions extends MethodOptions {
  /** The largest relative step; 0.01 unless given. */
  readonly lr?: number | Schedule | undefined;
  /** At step t the average of the squares takes in `t^beta2Decay` of the new ones; -0.8 unless given. */
  readonly beta2Decay?: number | undefined;
  /** The least mean square (null, which is the default, is the precision of the dtype), and the least size of a parameter, 0.001. */
  readonly eps?: readonly [number | null, number] | undefined;
  /** Updates larger than this, by the root of their mean square, are made smaller; 1 unless given. */
  readonly d?: number | Schedule | undefined;
  /** Each step takes `lr weightDecay` times the parameter away; 0 unless given. */
  readonly weightDecay?: number | Schedule | undefined;
}

/**
 * Adafactor (Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235, algorithms 4 to 6), which remembers two rows for a matrix
 * where Adam remembers two matrices. Options and order of operations are those of PyTorch's `torch.optim.Adafactor`. `lr`, `d` and
 * `weightDecay` can be assigned between steps, the last unless it was 0 at the beginning.
 *
 * Throws ValueError for numbers below 0 or not finite, and for a beta2Decay above 0.
 *
 * @example
 * ```ts
 * import { variable } from "@cotangent/autograd";
 * import { Adafactor } from "@cotangent/nn";
 * const w = variable([[4, 2], [2, 4]]);
 * const optimizer = new Adafactor([w], { lr: 0.5 });
 * optimizer.step(w.square().sum());
 * Object.keys(optimizer.state[0]); // => [ 'rowVar', 'colVar' ]
 * ```
 */
export class Adafactor extends Method<AdafactorOptions> {
  declare lr: number;
  declare d: number;
  declare weightDecay: number;
  declare readonly beta2Decay: number;
  declare readonly eps: readonly [number | null, number];

  constructor(parameters: Trainable<AdafactorOptions>, options: AdafactorOptions = {}) {
    super(
      parameters,
      options,
      (numbers, { lr = 0.01, beta2Decay = -0.8, eps = [null, 0.001], d = 1, weightDecay = 0 }) => {
        if (!(Number.isFinite(beta2Decay) && beta2Decay <= 0))
          throw new ValueError(
            `Adafactor: beta2Decay is a finite number of at most 0, got ${String(beta2Decay)}`,
          );
        numbers.addFixed("beta2Decay", beta2Decay);
        checkList("Adafactor: eps", eps);
        if (eps[0] !== null) numbers.addInitial("eps", eps[0]);
        numbers.addInitial("eps", eps[1]);
        numbers.addFixed("eps", eps);
        const rate = numbers.add("lr", lr);
        const largest = numbers.add("d", d);
        const decay = numbers.addUnlessZero("weightDecay", weightDecay);
        return chain(
          scaleByFactors({ rate, beta2Decay, eps, d: largest }),
          decay && decayWeights(rate, decay),
        );
      },
    );
  }
}
