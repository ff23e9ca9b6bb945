import type { Attribute, Attributes, Op, Tensor } from "../graph.ts";
import { numbered, remembered } from "../memo.ts";
import { equalShapes } from "../shape.ts";

/** A node and all that merges into its kernel, apart from which nodes they are. */
export interface Description {
  readonly key: string;
  readonly isFlat: boolean;
  /** The node, all that merges into its kernel, and what that reads, in the order of a walk. */
  readonly visited: readonly Tensor[];
}

/** Describes nodes so that those with equal keys have kernels of one pattern. */
export class Descriptions {
  readonly #ops = new Map<Op, number>();
  readonly #texts = new Map<Tensor, string>();

  of(node: Tensor, isStored: (x: Tensor) => boolean): Description {
    return this.#flat(node, isStored) ?? this.#shaped(node, isStored);
  }

  /** Null unless all that the kernel reads is of the node's shape, or one element for all. */
  #flat(node: Tensor, isStored: (x: Tensor) => boolean): Description | null {
    if (node.op.kernel.kind !== "pointwise" || node.size <= 1) return null;
    const visited: Tensor[] = [];
    let key = "flat";
    const visit = (x: Tensor): boolean => {
      const known = visited.indexOf(x);
      if (known >= 0) {
        key += ` ${known}`;
        return true;
      }
      const { op, inputs, attributes, dtype } = x;
      const isOne = x.size === 1;
      if (!isOne && !equalShapes(x.shape, node.shape)) return false;
      visited.push(x);
      key += isOne ? " 1" : " =";
      if (x !== node && isStored(x)) {
        key += dtype;
        return true;
      }
      const { kind } = op.kernel;
      const isBroadcast = kind === "view" && inputs[0]!.size === 1;
      if (!isBroadcast && kind !== "pointwise" && !(kind === "leaf" && op.kernel.source === "fill"))
        return false;
      if (isBroadcast && op.kernel.map(inputs[0]!.shape, attributes).bounds) return false;
      key += isBroadcast
        ? "*"
        : `${numbered(this.#ops, op)}${dtype}${kind === "leaf" ? formatAttribute(attributes.value!) : ""}`;
      return inputs.every(visit);
    };
    return visit(node) ? { key, isFlat: true, visited } : null;
  }

  #shaped(node: Tensor, isStored: (x: Tensor) => boolean): Description {
    const numbers = new Map<Tensor, number>();
    let key = "";
    const visit = (x: Tensor): void => {
      const known = numbers.get(x);
      if (known !== undefined) {
        key += ` ${known}`;
        return;
      }
      numbers.set(x, numbers.size);
      if (x !== node && isStored(x)) {
        key += ` <${x.dtype}${x.shape}`;
        return;
      }
      key += ` ${this.#text(x)}`;
      for (const input of x.inputs) visit(input);
    };
    visit(node);
    return { key, isFlat: false, visited: [...numbers.keys()] };
  }

  #text(x: Tensor): string {
    return remembered(
      this.#texts,
      x,
      () => `${numbered(this.#ops, x.op)}${x.dtype}${x.shape}${formatAttributes(x.attributes)}`,
    );
  }
}

function formatAttributes(attributes: Attributes): string {
  let text = "";
  for (const name in attributes) text += `;${name}=${formatAttribute(attributes[name]!)}`;
  return text;
}

/** JSON would write -0 as 0, and NaN and the infinities as null. */
function formatAttribute(value: Attribute): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(formatAttribute).join()}]`;
  return JSON.stringify(value);
}
