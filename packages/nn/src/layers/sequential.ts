import type { Tensor } from "@cotangent/autograd/functional";
import { ValueError } from "@cotangent/autograd/functional";
import { forward, type Layer, Module } from "../module.ts";

/**
 * Layers one after the other: each gets what the one before gave. Parameters are named by the place of their layer,
 * `0.weight`, as in PyTorch. Throws ValueError if an entry is neither a function nor anything with `forward`.
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from "@cotangent/autograd";
 * import { Linear, Sequential } from "@cotangent/nn";
 * const model = new Sequential(new Linear(2, 3), sigmoid, new Linear(3, 1));
 * model.forward(tensor([[0, 1]])).shape; // => [ 1, 1 ]
 * [...model.namedParameters().keys()]; // => [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * ```
 */
export class Sequential extends Module implements Iterable<Layer> {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (Array.isArray(layer))
        throw new ValueError("Sequential: takes layers one by one, as in new Sequential(...layers)");
      if (typeof layer !== "function" && typeof layer?.forward !== "function")
        throw new ValueError(
          `Sequential: layer ${i} is ${String(layer)}; a layer is a function of a tensor, or has forward(x)`,
        );
    });
    this.layers = layers;
    // Labels the parameters with their paths, for messages and prints of the graph.
    this.namedParameters();
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((h, layer) => forward(layer, h), x);
  }

  [Symbol.iterator](): IterableIterator<Layer> {
    return this.layers[Symbol.iterator]();
  }

  protected override fields(): readonly (readonly [name: string, value: unknown])[] {
    return Object.entries(this.layers);
  }
}
