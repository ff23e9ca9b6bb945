import { mixedAttributes, sameAttributes } from "../attributes.ts";
import type { DType } from "../dtype.ts";
import type { Attribute, Attributes, IndexMap, Op, Tensor } from "../graph.ts";
import { none } from "../graph.ts";
import { numbered, remembered } from "../memo.ts";
import type { Shape } from "../shape.ts";

/** What decides how a node is lowered: the ops that merge into its kernels, and how these are connected to each other and to what is stored. */
export interface Description {
  /** Nodes with equal keys have kernels of the same patterns. */
  readonly key: string;
  /** Is everything of the node's shape, or one element for all of it? The key is the same for all shapes then. */
  readonly isFlat: boolean;
  /** The node, all that merges into its kernels, and what that reads, in the order of a walk. */
  readonly visited: readonly Tensor[];
  /**
   * By the number of a stored node among `visited`: the first element of the view through which it was met first. That is not part of
   * the key: steps of time, which read other parts of one tensor, have kernels of one pattern.
   */
  readonly starts: ReadonlyMap<number, number>;
}

const dtypes: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

/** Describes nodes so that those with equal keys have kernels of the same patterns. */
export class Descriptions {
  readonly #ops = new Map<Op, number>();
  readonly #attributes = new Map<Attributes, number>([[none, 0]]);
  /** By hash. */
  readonly #unlike = new Map<number, Attributes[]>();
  /** Of leaves that are filled with one number. */
  readonly #values = new Map<Attribute | undefined, number>();
  readonly #shapes = new Map<Shape, number>();
  readonly #shapesByText = new Map<string, number>();

  of(node: Tensor, isStored: (x: Tensor) => boolean): Description {
    const visited: Tensor[] = [];
    /** What is said of each node: that it is known, or stored, or its op and attributes. */
    const said: number[] = [];
    /** What is left out of a flat one: shapes, and where one element is spread to. */
    const shapes: number[] = [];
    let isFlat = node.op.kernel.kind === "pointwise" && node.size > 1;
    const starts = new Map<number, number>();
    /** Counts from the first element of `x` that was met, or from `first` of a view of it. */
    const visit = (x: Tensor, first = -1): void => {
      const known = visited.indexOf(x);
      if (known >= 0) {
        said.push(-1 - known);
        const start = starts.get(known);
        if (first >= 0 || start !== undefined) said.push(Math.max(first, 0) - (start ?? 0));
        return;
      }
      if (first >= 0) starts.set(visited.length, first);
      visited.push(x);
      const { shape, dtype, op, inputs, attributes } = x;
      shapes.push(this.#shapes.get(shape) ?? this.#newShape(shape));
      if (x !== node && isStored(x)) {
        said.push(dtypes[dtype]);
        return;
      }
      const view = isFlat && isSpreading(x) ? null : viewOfStored(x, isStored);
      if (view) {
        isFlat = false;
        said.push(4, ...view.strides);
        visit(inputs[0]!, view.offset);
        return;
      }
      said.push(4 * numbered(this.#ops, op) + 8 + dtypes[dtype], inputs.length);
      if (isFill(op)) {
        // Its shape is said already.
        const { value } = attributes;
        said.push(numbered(this.#values, Object.is(value, -0) ? "-0" : value));
        return;
      }
      const number = this.#attributes.get(attributes) ?? this.#newNumber(attributes);
      if (isFlat && isSpreading(x)) shapes.push(number);
      else {
        said.push(number);
        isFlat &&= op.kernel.kind === "pointwise";
      }
      for (let i = 0; i < inputs.length; i++) visit(inputs[i]!);
    };
    visit(node);
    return { key: isFlat ? said.join() : `${said.join()};${shapes.join()}`, isFlat, visited, starts };
  }

  #newShape(shape: Shape): number {
    const number = numbered(this.#shapesByText, shape.join());
    this.#shapes.set(shape, number);
    return number;
  }

  /** A number for attributes, the same for equal ones. */
  #newNumber(attributes: Attributes): number {
    const alike = remembered(this.#unlike, mixedAttributes(0, attributes), () => []);
    const equal = alike.find((known) => sameAttributes(known, attributes));
    if (!equal) alike.push(attributes);
    const number = equal ? this.#attributes.get(equal)! : this.#attributes.size;
    this.#attributes.set(attributes, number);
    return number;
  }
}

/** How a view walks through what is stored; null for others, and where it has bounds. */
function viewOfStored(
  { op: { kernel }, inputs, attributes }: Tensor,
  isStored: (x: Tensor) => boolean,
): IndexMap | null {
  if (kernel.kind !== "view" || !isStored(inputs[0]!)) return null;
  const map = kernel.map(inputs[0]!.shape, attributes);
  return map.bounds ? null : map;
}

/** Is it one element, wherever one looks? */
function isSpreading({ op: { kernel }, inputs, attributes }: Tensor): boolean {
  return kernel.kind === "view" && inputs[0]!.size === 1 && !kernel.map(inputs[0]!.shape, attributes).bounds;
}

function isFill({ kernel }: Op): boolean {
  return kernel.kind === "leaf" && kernel.source === "fill";
}
