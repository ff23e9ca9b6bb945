import { ShapeError, ValueError } from "./errors.ts";
import { withoutReading } from "./evaluate.ts";
import type { Tensor } from "./graph.ts";
import { movedim } from "./ops/layout.ts";
import { placeholder } from "./ops/leaf.ts";
import { checkFunction, optionsOf } from "./options.ts";
import type { Shape } from "./shape.ts";
import { formatShape, normalizeAxis } from "./shape.ts";
import { batched, end, repeated } from "./transform/batch.ts";
import { mapTree, unflattenTree } from "./tree.ts";
import type { Variable } from "./variable.ts";
import { assignAll, recording, Trace, tracing } from "./variable.ts";

type Axis = number | null;

export interface VmapOptions<
  In extends Axis | readonly Axis[] = Axis | readonly Axis[],
  Out extends number = number,
> {
  /**
   * The axis of each argument along which examples lie, 0 unless given: one number for all arguments, or one for each, null for an
   * argument that is the same for all examples. It holds for all tensors of an argument that is a tree.
   */
  readonly inAxes?: In | undefined;
  /** The axis of the results along which examples lie; 0 unless given. */
  readonly outAxes?: Out | undefined;
}

/** A tree with an axis of examples along `A`: the shape is known where that is in front. */
type Batched<T, A> = [A] extends [null]
  ? T
  : T extends Tensor<infer S extends Shape>
    ? Tensor<[A] extends [0] ? (number extends S["length"] ? Shape : [number, ...S]) : Shape>
    : { -readonly [K in keyof T]: Batched<T[K], A> };

/** The axis of argument `K`. */
type AxisOf<In, K> = In extends readonly Axis[] ? (K extends keyof In ? In[K] : Axis) : In;

/**
 * `vmap(f)` is `f` for many examples at once: `f` is written for one example and called once, and what it does becomes ordinary ops
 * with one axis more, not a loop. Arguments and results are tensors or trees of tensors. It goes together with every other
 * transform: `grad` inside gives a gradient for each example, `vmap` inside another axis more. (The idea and the names are JAX's.)
 *
 * What `f` captures, and what it draws at random, is the same for all examples. What only the host computes (factorizations,
 * sorting) is computed one example after the other.
 *
 * Throws ValueError if no argument has an axis of examples, or if `f` calls `backward` or assigns a variable something else for each
 * example; ShapeError if an argument lacks the axis or the sizes along it differ; CompileError if `f` reads a value; and what `f` throws.
 *
 * @example
 * ```ts
 * import { dot, grad, type Tensor, tensor, variable, vmap } from "@cotangent/autograd";
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * vmap((row: Tensor) => row.div(row.sum()))(x).shape; // => [ 3, 2 ]
 * // The gradient of each example's own loss.
 * const w = variable([1, -1]);
 * vmap((row: Tensor) => grad(dot(row, w).square(), [w])[0])(x).toArray(); // => -2,-4,-6,-8,-10,-12
 * ```
 */
export function vmap<
  A extends readonly unknown[] = Tensor[],
  R = Tensor,
  const In extends Axis | readonly Axis[] = 0,
  Out extends number = 0,
>(
  f: (...args: A) => R,
  options?: VmapOptions<In, Out>,
): (...args: { readonly [K in keyof A]: Batched<A[K], AxisOf<In, K>> }) => Batched<R, Out>;
export function vmap<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options?: VmapOptions,
): (...args: readonly unknown[]) => unknown {
  checkFunction("vmap", f);
  const { inAxes = 0, outAxes = 0 } = optionsOf("vmap", options, { inAxes: true, outAxes: true });
  const call = (args: readonly unknown[]): unknown => {
    const axes = axesOf(inAxes, args.length);
    const batches = new Map<Tensor, Tensor>();
    let size: number | null = null;
    const parts = args.map((arg, i) => {
      const axis = axes[i]!;
      if (axis === null) return arg;
      return mapped(
        `argument ${i} has something that is no tensor, so its inAxes must be null`,
        arg,
        (leaf, path) => {
          const name = `argument ${i}${path === "" ? "" : `.${path}`}`;
          const batch = inFront(name, leaf, axis);
          size ??= batch.shape[0]!;
          if (batch.shape[0] !== size)
            throw new ShapeError(
              `vmap: ${name} has ${batch.shape[0]} examples along axis ${axis} of shape ${formatShape(leaf.shape)}, others ` +
                `have ${size}; where it is the same for all examples its inAxes is null`,
            );
          const symbol = placeholder(batch.shape.slice(1), batch.dtype);
          batches.set(symbol, batch);
          return symbol;
        },
      );
    });
    if (size === null) throw new ValueError("vmap: no argument has examples; give one an axis by inAxes");
    const count: number = size;
    const { result, roots, assigned } = traced(() => f(...(parts as unknown as A)));
    end(batches.keys());
    const all = batched([...roots, ...assigned.map(([, value]) => value)], batches, count);
    assigned.forEach(([variable], i) => {
      if (all[roots.length + i]!.isBatched)
        throw new ValueError(
          `vmap: ${variable.label ?? "a variable"} is assigned something else for each example; return it instead`,
        );
    });
    const made = all.slice(0, roots.length).map(({ root, isBatched }) => {
      const whole = isBatched ? root : repeated(root, count);
      const axis = normalizeAxis("vmap: outAxes", outAxes, whole.shape);
      return axis === 0 ? whole : (movedim(whole, 0, axis) as Tensor);
    });
    if (!recording()) assignAll(assigned);
    return unflattenTree(result, made);
  };
  return (...args) => {
    const record = recording();
    return record ? record.attempt(() => call(args)) : call(args);
  };
}

interface Traced<R> {
  readonly result: R;
  readonly roots: readonly Tensor[];
  /** What `f` assigned: the generators of random numbers count on. */
  readonly assigned: readonly (readonly [Variable, Tensor])[];
}

/** What `f` makes of symbols, and of variables: inside `compile` that is recorded there, else by itself. */
function traced<R>(f: () => R): Traced<R> {
  const record = recording() ?? new Trace(false);
  const [assigned, gradients] = [new Map(record.assigned), new Map(record.gradients)];
  const { result, roots } = tracing(record, () => {
    const result = withoutReading("vmap", f);
    const roots: Tensor[] = [];
    mapped("the function returns something that is no tensor", result, (root) => {
      roots.push(root.node);
      return root;
    });
    return { result, roots };
  });
  for (const [variable, g] of record.gradients)
    if (!gradients.has(variable) || gradients.get(variable) !== g)
      throw new ValueError(
        "vmap: the function calls backward(), or sets grad; use grad() and return what it gives",
      );
  const news = [...record.assigned].filter(([variable, version]) => assigned.get(variable) !== version);
  return { result, roots, assigned: news.map(([variable, version]) => [variable, version.inputs[0]!]) };
}

function axesOf(inAxes: VmapOptions["inAxes"], count: number): readonly Axis[] {
  if (inAxes === null || typeof inAxes === "number") return new Array<Axis>(count).fill(inAxes);
  if (!Array.isArray(inAxes) || inAxes.length !== count)
    throw new ValueError(
      `vmap: inAxes is a number, or an array with a number or null for each of the ${count} arguments`,
    );
  return inAxes;
}

/** `mapTree` with an error that says `what` is wrong. */
function mapped(what: string, tree: unknown, f: (leaf: Tensor, path: string) => Tensor): unknown {
  let inside = false;
  try {
    return mapTree(tree, (leaf, path) => {
      inside = true;
      const made = f(leaf, path);
      inside = false;
      return made;
    });
  } catch (error) {
    if (inside || !(error instanceof ValueError)) throw error;
    throw new ValueError(`vmap: ${what}: ${error.message}`);
  }
}

/** `x` with the axis of examples in front. */
function inFront(name: string, x: Tensor, axis: number): Tensor {
  if (x.rank === 0)
    throw new ShapeError(
      `vmap: ${name} has no axes; where it is the same for all examples its inAxes is null`,
    );
  const from = normalizeAxis("vmap", axis, x.shape);
  return from === 0 ? x.node : (movedim(x, from, 0) as Tensor).node;
}
