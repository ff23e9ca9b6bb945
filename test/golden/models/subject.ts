/** What the models of `models.py` are here, and what draws their weights and data. */
import { type Tensor, tensor } from "@cotangent/autograd";
import { Module, type Optimizer } from "@cotangent/nn";
import { mulberry32 } from "../../mulberry.ts";

/** Weights and data, one number after the other. */
export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  floats(...shape: number[]): Tensor {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensor(Float32Array.from({ length: count }, () => 2 * this.#next() - 1)).reshape(shape);
  }

  below(n: number, ...shape: number[]): Tensor {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensor(Int32Array.from({ length: count }, () => Math.floor(this.#next() * n))).reshape(shape);
  }

  fill(model: Module): void {
    const state = model.stateDict();
    const filled = Object.keys(state)
      .sort()
      .map((name) => {
        const { shape, size } = state[name]!;
        const scale = shape.length > 1 ? 1 / Math.sqrt(shape.at(-1)!) : 0.1;
        const one = /(norm[12]?\.weight|count)$/.test(name) ? 1 : 0;
        const values = Float32Array.from({ length: size }, () => one + scale * (2 * this.#next() - 1));
        return [name, tensor(values).reshape(shape)] as const;
      });
    model.loadStateDict(Object.fromEntries(filled));
  }
}

/** A model and its data: the arguments of step `i`, and what a step computes of them. */
export abstract class Subject extends Module {
  abstract readonly optimizer: Optimizer;
  /** Draws the data. */
  abstract prepare(draw: Draw): void;
  abstract batch(i: number): Tensor[];
  abstract override forward(...batch: Tensor[]): Tensor;
}
