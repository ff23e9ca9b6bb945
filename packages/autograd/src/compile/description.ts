import type { Attribute, Attributes, Op, Tensor } from "../graph.ts";
import { numbered } from "../memo.ts";

/** A node and all that merges into its kernels, apart from which nodes they are. */
export interface Description {
  readonly key: string;
  /** Is all of it of the node's shape, or one element for all? Then the key does not say which shape that is. */
  readonly isFlat: boolean;
  /** The node, all that merges into its kernels, and what that reads, in the order of a walk. */
  readonly visited: readonly Tensor[];
}

/** Describes nodes so that those with equal keys have kernels of the same patterns. */
export class Descriptions {
  readonly #ops = new Map<Op, number>();

  of(node: Tensor, isStored: (x: Tensor) => boolean): Description {
    const flat = node.op.kernel.kind === "pointwise" && node.size > 1;
    return (flat && this.#walk(node, isStored, true)) || this.#walk(node, isStored, false)!;
  }

  /** Null if it is to be flat and is not. */
  #walk(node: Tensor, isStored: (x: Tensor) => boolean, isFlat: boolean): Description | null {
    const numbers = new Map<Tensor, number>();
    let key = "";
    const visit = (x: Tensor): boolean => {
      const known = numbers.get(x);
      if (known !== undefined) {
        key += ` ${known}`;
        return true;
      }
      numbers.set(x, numbers.size);
      key += ` ${isFlat ? "=" : x.shape}${x.dtype}`;
      if (x !== node && isStored(x)) return true;
      const { op, inputs, attributes } = x;
      const isSpread = isFlat && isSpreading(x);
      if (isFlat && !isSpread && op.kernel.kind !== "pointwise" && !isFill(op)) return false;
      key += `${numbered(this.#ops, op)}${isSpread ? "" : formatAttributes(attributes)}`;
      return inputs.every(visit);
    };
    return visit(node) ? { key, isFlat, visited: [...numbers.keys()] } : null;
  }
}

/** Is it one element, wherever one looks? */
function isSpreading({ op: { kernel }, inputs, attributes }: Tensor): boolean {
  return kernel.kind === "view" && inputs[0]!.size === 1 && !kernel.map(inputs[0]!.shape, attributes).bounds;
}

function isFill({ kernel }: Op): boolean {
  return kernel.kind === "leaf" && kernel.source === "fill";
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
