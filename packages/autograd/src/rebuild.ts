import type { DType, TypedArray } from "./dtype.ts";
import { allocate } from "./dtype.ts";
import { DTypeError, ShapeError } from "./errors.ts";
import type { Attributes, Tensor } from "./graph.ts";
import { apply, elementsOf, setElements } from "./graph.ts";
import { checkTensor } from "./ops/leaf.ts";
import { carrying } from "./segment.ts";
import { checkList, equalShapes, formatShape } from "./shape.ts";
import { inheritSite } from "./site.ts";
import { numberIn, topology } from "./topology.ts";

/** Which dtype takes the place of which. */
export type DTypeMap = Partial<Record<DType, DType>>;

/**
 * The same computation on other leaves: every op above a replaced node is applied again to (op, inputs, attributes). With
 * `dtypes` all nodes change dtype as it says, leaves and casts included: `{ float32: "float64" }` replays a
 * model in float64. A variable among the leaves means its present version. Shapes must stay as they are.
 *
 * Throws ValueError for what is no tensor, ShapeError or DTypeError for a leaf that does not fit in the place of another.
 */
export function rebuild(
  roots: readonly Tensor[],
  leaves: ReadonlyMap<Tensor, Tensor> = new Map(),
  dtypes: DTypeMap = {},
): Tensor[] {
  checkList("rebuild", roots, "[y]");
  for (const root of roots) checkTensor("rebuild", root);
  const replaced = new Map(Array.from(leaves, ([from, to]) => checkedPair(from, to, dtypes)));
  const order = topology(
    roots.map((root) => root.node),
    (x) => replaced.has(x),
  );
  const { nodes, starts, edges } = order;
  const numbers = roots.map((root) => numberIn(order, root.node));
  const made: Tensor[] = [];
  const carry = carrying();
  nodes.forEach((node, n) => {
    const replacement = replaced.get(node);
    if (replacement) {
      made.push(replacement);
      return;
    }
    const inputs = edges.slice(starts[n], starts[n + 1]).map((input) => made[input]!);
    const attributes = convertAttributes(node.attributes, dtypes);
    const changed = attributes !== node.attributes || inputs.some((input, i) => input !== node.inputs[i]);
    made.push(changed ? carry(node, () => copy(node, inputs, attributes)) : node);
  });
  return numbers.map((n) => made[n]!);
}

/** The nodes of a leaf and of what takes its place. Throws unless they have one shape, and the dtype that `dtypes` says. */
function checkedPair(from: Tensor, to: Tensor, dtypes: DTypeMap): [Tensor, Tensor] {
  checkTensor("rebuild: the leaf", from);
  checkTensor("rebuild: what takes the place of a leaf", to);
  const { label, shape } = from;
  const leaf = label === null ? "the leaf" : `the leaf ${label}`;
  if (!equalShapes(shape, to.shape))
    throw new ShapeError(
      `rebuild: ${leaf} has shape ${formatShape(shape)} and what takes its place ${formatShape(to.shape)}; shapes must stay as ` +
        "they are, for others call the function that built the graph",
    );
  const dtype = convertDType(from.dtype, dtypes) ?? from.dtype;
  if (to.dtype !== dtype)
    throw new DTypeError(
      `rebuild: ${leaf} is ${dtype}${dtype === from.dtype ? "" : " by dtypes"} and what takes its place ${to.dtype}; cast it with ` +
        `cast("${dtype}")`,
    );
  return [from.node, to.node];
}

function convertDType(dtype: unknown, dtypes: DTypeMap): DType | undefined {
  return dtype === "float32" || dtype === "float64" ? dtypes[dtype] : undefined;
}

function copy(node: Tensor, inputs: readonly Tensor[], attributes: Attributes): Tensor {
  const out = apply(node.op, inputs, attributes);
  inheritSite(out, node);
  if (node.label !== null) out.named(node.label);
  const value = elementsOf(node);
  if (node.op.kernel.kind === "leaf" && value) setElements(out, convertElements(value, out.dtype));
  return out;
}

function convertAttributes(attributes: Attributes, dtypes: DTypeMap): Attributes {
  const other = convertDType(attributes.dtype, dtypes);
  return other === undefined ? attributes : { ...attributes, dtype: other };
}

function convertElements(data: TypedArray, dtype: DType): TypedArray {
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i]!;
  return out;
}
