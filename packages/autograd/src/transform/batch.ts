import { GradientError } from "../errors.ts";
import type { Attributes, Derivative, IndexMap, Kernel, Op, Tensor } from "../graph.ts";
import { apply, isWaiting } from "../graph.ts";
import { readLabels } from "../labels.ts";
import { remembered } from "../memo.ts";
import { einsumOp } from "../ops/contraction.ts";
import { stack } from "../ops/join.ts";
import { fill, placeholder, zerosLike } from "../ops/leaf.ts";
import { broadcastTo, reshape } from "../ops/movement.ts";
import { slice } from "../ops/region.ts";
import { carrying } from "../segment.ts";
import type { Shape } from "../shape.ts";
import { equalShapes, sizeOf } from "../shape.ts";
import { inheritSite } from "../site.ts";
import { numberIn, topology } from "../topology.ts";

/**
 * The same computation for many examples at once: each node becomes one with an axis more, in front. Kernels are of few kinds, and
 * each kind knows what an axis in front means; no op has a rule for it.
 */

/**
 * `roots` with a batch in the place of each key of `batches`, which has its shape behind a first axis of `size`. What
 * depends on none of them has no batch axis: it stays as it is.
 */
export function batched(
  roots: readonly Tensor[],
  batches: ReadonlyMap<Tensor, Tensor>,
  size: number,
): { readonly root: Tensor; readonly isBatched: boolean }[] {
  const order = topology(roots, (x) => batches.has(x));
  const { nodes, starts, edges } = order;
  const numbers = roots.map((root) => numberIn(order, root));
  const made: Tensor[] = [];
  const isBatched = new Uint8Array(nodes.length);
  const carry = carrying();
  nodes.forEach((node, n) => {
    const batch = batches.get(node);
    const operands = edges.slice(starts[n], starts[n + 1]);
    // It does not matter to a node that waits whether the others are batches.
    const read = isWaiting(node) ? operands.slice(0, 1) : operands;
    isBatched[n] = batch || read.some((k) => isBatched[k]) ? 1 : 0;
    const make = (): Tensor => {
      const inputs = operands.map((k) => made[k]!);
      if (isBatched[n] && !isWaiting(node))
        return batchedNode(
          node,
          inputs.map((x, i) => ({ x, isBatched: isBatched[operands[i]!] === 1 })),
          size,
        );
      return inputs.every((x, i) => x === node.inputs[i]) ? node : madeAs(node, inputs, node.attributes);
    };
    made.push(batch ?? carry(node, make));
  });
  return numbers.map((n) => ({ root: made[n]!, isBatched: isBatched[n] === 1 }));
}

interface Operand {
  readonly x: Tensor;
  readonly isBatched: boolean;
}

/** The same tensor for every example. */
export function repeated(x: Tensor, size: number): Tensor {
  return broadcastTo(reshape(x, [1, ...x.shape]), [size, ...x.shape]);
}

function batchedNode(node: Tensor, operands: readonly Operand[], size: number): Tensor {
  const { op, attributes } = node;
  const { kind } = op.kernel;
  if (kind === "contract") return contracted(String(attributes.spec), operands);
  const inputs = operands.map(({ x, isBatched }) => (isBatched ? x : repeated(x, size)));
  if (kind === "opaque") return oneByOne(node, inputs, size);
  if (kind === "view") return apply(batchedOp(op), inputs, attributes);
  const behind = behindBatch(attributes);
  try {
    const made = madeAs(node, inputs, behind);
    if (equalShapes(made.shape, [size, ...node.shape])) return made;
  } catch {
    // An op of the user's, which refuses an axis more: it is asked about one example.
  }
  return apply(batchedOp(op), inputs, behind);
}

/** The op of `node` again; what goes wrong with it is told of the line that made `node`. */
function madeAs(node: Tensor, inputs: readonly Tensor[], attributes: Attributes): Tensor {
  const made = apply(node.op, inputs, attributes);
  inheritSite(made, node);
  return made;
}

/** Attributes with their axes counted one further, as there is the batch axis in front; or one less far again. */
const behindBatch = (attributes: Attributes): Attributes => axesMoved(attributes, 1);
const beforeBatch = (attributes: Attributes): Attributes => axesMoved(attributes, -1);

function axesMoved(attributes: Attributes, by: 1 | -1): Attributes {
  const { axis, axes } = attributes;
  if (typeof axis === "number") return { ...attributes, axis: axis + by };
  if (Array.isArray(axes)) return { ...attributes, axes: axes.map((i) => Number(i) + by) };
  return attributes;
}

/** One letter more, in each operand that has the axis. */
function contracted(spec: string, [x, y]: readonly Operand[]): Tensor {
  const { left, right, out } = readLabels(spec);
  const letter = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((c) => !spec.includes(c))!;
  const labels = (old: string, { isBatched }: Operand) => (isBatched ? letter + old : old);
  return apply(einsumOp, [x!.x, y!.x], { spec: `${labels(left, x!)},${labels(right, y!)}->${letter}${out}` });
}

/** Nothing is known of what the host computes: it does so for each example. */
function oneByOne(node: Tensor, inputs: readonly Tensor[], size: number): Tensor {
  if (size === 0) return fill(0, [0, ...node.shape], node.dtype);
  const of = (i: number) => inputs.map((x) => reshape(slice(x, i, i + 1) as Tensor, x.shape.slice(1)));
  return stack(Array.from({ length: size }, (_, i) => madeAs(node, of(i), node.attributes)));
}

const batchedOps = new WeakMap<Op, Op>();

/** The op that does the same with all examples of a batch. Its rules are those of `op`, batched. */
function batchedOp(op: Op): Op {
  return remembered(batchedOps, op, ({ name, kernel, derivatives, implied, kink, meaning }) => {
    // A view says itself which axes its attributes name.
    const own = kernel.kind === "view" ? (attributes: Attributes) => attributes : beforeBatch;
    return {
      name,
      kernel: batchedKernel(kernel),
      derivatives: derivatives.map((rule) => batchedRule(rule, op, own)),
      shape: (inputs, attributes) => [
        inputs[0]!.shape[0]!,
        ...op.shape(inputs.map(example), own(attributes)),
      ],
      dtype: (inputs, attributes) => op.dtype(inputs.map(example), own(attributes)),
      ...(implied ? { implied } : {}),
      kink,
      ...(meaning ? { meaning } : {}),
    };
  });
}

function batchedKernel(kernel: Kernel): Kernel {
  if (kernel.kind !== "view") return kernel;
  const map = (shape: Shape, attributes: Attributes): IndexMap => {
    const inner = shape.slice(1);
    const { offset, strides, bounds } = kernel.map(inner, attributes);
    return {
      offset,
      strides: [sizeOf(inner), ...strides],
      bounds: bounds && [[0, shape[0]!], ...bounds],
    };
  };
  return { kind: "view", map };
}

/** The symbols of functions that have returned: they stand for nothing any more. */
const ended = /* @__PURE__ */ new WeakSet<Tensor>();

/** Says that the function has returned which was given these symbols. */
export function end(symbols: Iterable<Tensor>): void {
  for (const symbol of symbols) ended.add(symbol);
}

/** A symbol for one example of a batch. */
const example = (x: Tensor): Tensor => placeholder(x.shape.slice(1), x.dtype);

/** The rule for all examples: `rule` is asked about symbols for one example, and what it gives is batched. */
function batchedRule(rule: Derivative, op: Op, own: (attributes: Attributes) => Attributes): Derivative {
  const forAll = (
    say: (moved: Tensor, out: Tensor, attributes: Attributes) => Tensor,
    moved: Tensor,
    out: Tensor,
    shifted: Attributes,
  ): Tensor => {
    const attributes = own(shifted);
    const inputs = out.inputs.map(example);
    const one = apply(op, inputs, attributes);
    const symbol = example(moved);
    const batches = new Map([
      ...inputs.map((x, i) => [x, out.inputs[i]!] as const),
      [one, out],
      [symbol, moved],
    ]);
    const size = out.shape[0]!;
    const answer = say(symbol, one, attributes).node;
    if (topology([answer]).nodes.some((x) => ended.has(x)))
      throw new GradientError(
        `${op.name}: its derivative rule uses a tensor that the function of vmap was given or made, and that function has ended; let the ` +
          "rule take it as an input, or take derivatives inside the function",
      );
    const [said] = batched([answer], batches, size);
    return said!.isBatched ? said!.root : repeated(said!.root, size);
  };
  switch (rule.kind) {
    case "zero":
    case "partial":
      return rule;
    case "pushforward": {
      const { push, pull } = rule;
      return {
        kind: "pushforward",
        push: (t, out, attributes, i) =>
          forAll((symbol, one, own) => push(symbol, one, own, i), t, out, attributes),
        ...(pull && {
          pull: (g, out, attributes, i) =>
            forAll(
              (symbol, one, own) => pull(symbol, one, own, i) ?? zerosLike(one.inputs[i]!),
              g,
              out,
              attributes,
            ),
        }),
      };
    }
    case "linear":
    case "bilinear":
      return {
        kind: rule.kind,
        transpose: (g, out, attributes, i) =>
          forAll((symbol, one, own) => rule.transpose(symbol, one, own, i), g, out, attributes),
      };
  }
}
