import type { DrawOptions, Shape } from "@cotangent/autograd/functional";
import {
  cat,
  dropout,
  gt,
  mul,
  ones,
  ShapeError,
  squeeze,
  stack,
  type Tensor,
  unbind,
  uniform,
  unsqueeze,
  ValueError,
  where,
  zeros,
} from "@cotangent/autograd/functional";
import { type Lengths, lengthsOf } from "../lengths.ts";
import { Module, Parameter } from "../module.ts";
import type { Known } from "../options.ts";
import { checkShare, drawing, optionsOf } from "../options.ts";
import type { Gates, State, Weights } from "./gates.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface RecurrentOptions extends DrawOptions {
  /** How many networks lie one above the other, each seeing the output of the one below; 1 unless given. */
  readonly numLayers?: number | undefined;
  /** Adds biases unless false. */
  readonly bias?: boolean | undefined;
  /** Sequences are [n, steps, features], not [steps, n, features]. States stay as they are. */
  readonly batchFirst?: boolean | undefined;
  /** How likely an output of a layer but the last is dropped in training; 0 unless given. */
  readonly dropout?: number | undefined;
  /** Goes through the sequence from the end too; the outputs stand side by side. */
  readonly bidirectional?: boolean | undefined;
}

/** What `forward` may be told. */
export interface SequenceOptions {
  /**
   * How many steps of each sequence of a batch count; all unless given. Behind them outputs are 0 and states stay what they are, so
   * that the last ones are those at the end of each sequence, where the way back begins: what a packed sequence gives in PyTorch.
   */
  readonly lengths?: Lengths | undefined;
}

/** The names of these. */
export const recurrent: Known<RecurrentOptions> = {
  numLayers: true,
  bias: "boolean",
  batchFirst: "boolean",
  dropout: true,
  bidirectional: "boolean",
  ...drawing,
};

/** A parameter evenly distributed between -1/sqrt(hidden) and 1/sqrt(hidden), as in PyTorch. */
export function drawParameter(name: string, shape: Shape, hidden: number, draw: DrawOptions): Parameter {
  const high = 1 / Math.sqrt(hidden);
  return new Parameter<Shape>(uniform(shape, { ...draw, low: -high, high })).named(name);
}

/** `L0`, `L0Reverse`, ... */
type Suffix = `L${string}`;

const format = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Layers of gates that go through sequences step by step: a loop that is unrolled, so a graph for each length. */
export abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** The parameters: `weightIhL0`, `weightHhL0`, `biasIhL0`, `biasHhL0`, `weightIhL0Reverse`, ... */
  readonly [parameter: `${"weight" | "bias"}${"Ih" | "Hh" | "Hr"}L${string}`]: Parameter;
  readonly #gates: Gates;
  readonly #outSize: number;
  readonly #draw: DrawOptions;
  /** How the names of parameters end, by layer, then by direction. */
  readonly #suffixes: readonly (readonly Suffix[])[];

  constructor(gates: Gates, inputSize: number, hiddenSize: number, options: RecurrentOptions, projSize = 0) {
    super();
    const {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout: p = 0,
      bidirectional = false,
      ...draw
    } = optionsOf(this.constructor.name, options, recurrent);
    const { name } = this.constructor;
    checkSizes(name, { inputSize, hiddenSize, numLayers });
    checkShare(`${name}: dropout`, p);
    if (!Number.isInteger(projSize) || projSize < 0 || projSize >= hiddenSize)
      throw new ValueError(`${name}: projSize is a whole number below hiddenSize, got ${String(projSize)}`);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    this.#gates = gates;
    this.#outSize = projSize || hiddenSize;
    this.#draw = draw.generator ? { generator: draw.generator } : {};
    this.#suffixes = Array.from({ length: numLayers }, (_, layer) =>
      bidirectional ? [`L${layer}`, `L${layer}Reverse`] : [`L${layer}`],
    );
    this.#suffixes.forEach((suffixes, layer) => {
      for (const suffix of suffixes) this.#make(suffix, layer, bias, draw);
    });
  }

  /** Makes the parameters of one layer and direction, as properties of this module. */
  #make(suffix: Suffix, layer: number, bias: boolean, draw: DrawOptions): void {
    const rows = this.#gates.count * this.hiddenSize;
    const out = this.#outSize;
    const make = (name: string, shape: Shape): void => {
      const value = drawParameter(name + suffix, shape, this.hiddenSize, draw);
      Object.defineProperty(this, name + suffix, { value, enumerable: true, configurable: true });
    };
    make("weightIh", [rows, layer === 0 ? this.inputSize : out * (this.bidirectional ? 2 : 1)]);
    make("weightHh", [rows, out]);
    if (bias) make("biasIh", [rows]);
    if (bias) make("biasHh", [rows]);
    if (out < this.hiddenSize) make("weightHr", [out, this.hiddenSize]);
  }

  #weights(suffix: Suffix): Weights {
    return {
      weightIh: this[`weightIh${suffix}`]!,
      weightHh: this[`weightHh${suffix}`]!,
      biasIh: this[`biasIh${suffix}`] ?? null,
      biasHh: this[`biasHh${suffix}`] ?? null,
      weightHr: this[`weightHr${suffix}`] ?? null,
    };
  }

  /** The output for `x`, and the last states of all layers and directions; `initial` are the first ones, 0 unless given. */
  protected run(
    x: Tensor,
    initial: readonly (Tensor | undefined)[],
    options?: SequenceOptions,
  ): readonly [output: Tensor, last: Tensor[]] {
    const single = this.#check(x);
    const { lengths } = optionsOf(this.#name, options, { lengths: true });
    if (single && lengths !== undefined)
      throw new ShapeError(`${this.#name}: lengths are those of a batch, and x is one sequence; slice it`);
    const [axis, batch] = this.batchFirst && !single ? [1, 0] : [0, 1];
    const sequence = single ? (unsqueeze(x, 1) as Tensor) : x;
    let steps = unbind(sequence, axis);
    const firsts = this.#firsts(initial, sequence.shape[batch]!, single, x);
    const counted = lengths && this.#counted(lengths, sequence.shape[batch]!, steps.length);
    const lasts: State[] = [];
    this.#suffixes.forEach((directions, layer) => {
      if (layer > 0) steps = this.#thinned(steps);
      const outputs = directions.map((suffix, direction) => {
        const first = firsts[lasts.length]!;
        const { hs, last } = this.#pass(this.#weights(suffix), steps, first, direction === 1, counted);
        lasts.push(last);
        return hs;
      });
      const [ahead, back] = outputs as [Tensor[], Tensor[]?];
      steps = back ? ahead.map((h, t): Tensor => cat([h, back[t]!], 1)) : ahead;
    });
    const output: Tensor = stack(steps, axis);
    const last = lasts[0]!.map((_, k): Tensor => stack(lasts.map((state) => state[k]!)));
    return single ? [squeeze(output, 1), last.map((state): Tensor => squeeze(state, 1))] : [output, last];
  }

  /** For each step: which of the sequences have it, [n, 1]. */
  #counted(lengths: Lengths, n: number, steps: number): readonly Tensor[] {
    const column: Tensor = unsqueeze(lengthsOf(this.#name, "lengths", lengths, n, steps), 1);
    return Array.from({ length: steps }, (_, t): Tensor => gt(column, t));
  }

  /** Goes through the steps, or back from the last one; gives what it puts out at each. */
  #pass(
    weights: Weights,
    xs: readonly Tensor[],
    first: State,
    back: boolean,
    counted?: readonly Tensor[],
  ): { hs: Tensor[]; last: State } {
    const step = this.#gates.prepare(weights);
    const hs = new Array<Tensor>(xs.length);
    let state = first;
    for (let i = 0; i < xs.length; i++) {
      const t = back ? xs.length - 1 - i : i;
      const [counts, before, next] = [counted?.[t], state, step(xs[t]!, state)];
      hs[t] = counts ? where(counts, next[0], 0) : next[0];
      state = counts ? (next.map((x, k): Tensor => where(counts, x, before[k]!)) as unknown as State) : next;
    }
    return { hs, last: state };
  }

  /** Is `x` one sequence without a batch? Throws ShapeError unless it is that or a batch. */
  #check(x: Tensor): boolean {
    const { inputSize } = this;
    checkTensor(this.#name, x);
    const steps = x.shape[this.batchFirst && x.rank === 3 ? 1 : 0];
    if ((x.rank === 3 || x.rank === 2) && x.shape.at(-1) === inputSize && steps! > 0) return x.rank === 2;
    const batch = this.batchFirst ? "n, steps" : "steps, n";
    throw new ShapeError(
      `${this.#name}: takes [${batch}, ${inputSize}] or [steps, ${inputSize}] with at least one step, got shape ${format(x.shape)}`,
    );
  }

  /** The first states, in the order of the layers and directions. */
  #firsts(initial: readonly (Tensor | undefined)[], n: number, single: boolean, { dtype }: Tensor): State[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const sizes = [this.#outSize, this.hiddenSize].slice(0, this.#gates.states);
    const given = sizes.map((size, k) => {
      const state = initial[k];
      if (state === undefined)
        return new Array<Tensor>(count).fill(zeros([n, size], { dtype: floating(dtype) }) as Tensor);
      checkTensor(`${this.#name}: the first ${k === 0 ? "state" : "cell"}`, state);
      const shape = single ? [count, size] : [count, n, size];
      if (state.shape.join() !== shape.join())
        throw new ShapeError(
          `${this.#name}: the first ${k === 0 ? "state" : "cell"} has shape ${format(state.shape)}; it must be ${format(shape)}`,
        );
      return unbind(single ? (unsqueeze(state, 1) as Tensor) : state);
    });
    return Array.from({ length: count }, (_, i) => given.map((states) => states[i]!) as unknown as State);
  }

  /** In training, with some of the features of each step dropped: one draw for all steps. */
  #thinned(steps: readonly Tensor[]): Tensor[] {
    const { dropout: p, training } = this;
    if (p === 0 || !training) return [...steps];
    const { shape, dtype } = steps[0]!;
    const kept = unbind(dropout(ones([steps.length, ...shape], { dtype }) as Tensor, { ...this.#draw, p }));
    return steps.map((h, t): Tensor => mul(h, kept[t]!));
  }

  get #name(): string {
    return `${this.constructor.name}(${this.inputSize}, ${this.hiddenSize})`;
  }

  protected override details(): string {
    const { inputSize, hiddenSize, numLayers, batchFirst, dropout: p, bidirectional } = this;
    return [
      `${inputSize}, ${hiddenSize}`,
      ...(numLayers > 1 ? [`numLayers=${numLayers}`] : []),
      ...(batchFirst ? ["batchFirst=true"] : []),
      ...(p > 0 ? [`dropout=${p}`] : []),
      ...(bidirectional ? ["bidirectional=true"] : []),
    ].join(", ");
  }
}

const floating = (dtype: string): "float32" | "float64" => (dtype === "float64" ? "float64" : "float32");
