import { ValueError } from "./errors.ts";
import { ownerOf, Tensor } from "./graph.ts";
import { describe } from "./ops/leaf.ts";
import { checkFunction } from "./options.ts";
import { useValues } from "./reach.ts";
import type { Operand } from "./signature.ts";
import { isPlainObject } from "./tree.ts";
import { assignAll, fitting, recording, Trace, tracing, Variable } from "./variable.ts";

/**
 * What `f` returns where each variable stands for the tensor (or number) beside it: `f` is a function of these tensors then, with their
 * histories, and derivatives by them and by what they are made of go through; inside `f`, `grad(y, [w])` is by what `w` stands for. No
 * variable changes, but for what `f` assigns to others, such as running averages; what it assigns to these ends with the call. It is made
 * for functions that use variables from outside, such as the loss of a model, where a transform wants them as arguments.
 *
 * Throws ValueError if something is no pair of a variable and a tensor, or if `f` returns something else than tensors, numbers, strings,
 * booleans and null in arrays and plain objects, ShapeError or DTypeError if a value does not fit its variable, and what `f` throws;
 * nothing has changed then.
 *
 * @example
 * ```ts
 * import { grad, hessian, type Tensor, tensor, variable, withValues } from "@cotangent/autograd";
 * const w = variable([1, 2]);
 * const loss = () => w.square().sum();
 * const [g] = grad(loss(), [w]);
 * const after = withValues([[w, w.sub(g.mul(0.25))]], loss);
 * after.item(); // => 1.25
 * grad(after, [w])[0].toArray(); // => 0.5,1
 * hessian((x: Tensor) => withValues([[w, x]], loss))(tensor([3, 4])).toArray(); // => 2,0,0,2
 * w.toArray(); // => 1,2
 * ```
 */
export function withValues<T>(
  values: Iterable<readonly [variable: Variable, value: Operand]>,
  f: () => T,
): T {
  checkFunction("withValues", f);
  useValues(valueOf);
  const pairs = pairsOf(values);
  const record = recording();
  return record ? record.attempt(() => inRecord(record, pairs, f)) : alone(pairs, f);
}

/** What a variable stands for in what is recorded: nothing of its own. */
function valueOf(x: Tensor): Tensor | null {
  const record = x instanceof Variable ? recording() : null;
  const node = record?.assigned.get(x as Variable) ?? record?.begun.get(x as Variable);
  return node && ownerOf(node) !== x ? node : null;
}

type Pair = readonly [variable: Variable, value: Tensor];

function pairsOf(values: Iterable<readonly [Variable, Operand]>): readonly Pair[] {
  const list = typeof values?.[Symbol.iterator] === "function" ? [...values] : null;
  if (!list?.every((pair) => pair?.[0] instanceof Variable))
    throw new ValueError("withValues: takes a list of pairs [variable, value]");
  return list.map(([variable, value]) => [variable, fitting("withValues: the value of", variable, value)]);
}

/** Inside `compile`, `vmap` or a check, whose record gets what else `f` does. */
function inRecord<T>({ assigned }: Trace, pairs: readonly Pair[], f: () => T): T {
  const before = pairs.map(([variable]) => assigned.get(variable));
  try {
    for (const [variable, value] of pairs) assigned.set(variable, value);
    return settled(f());
  } finally {
    pairs.forEach(([variable], i) => {
      const version = before[i];
      if (version) assigned.set(variable, version);
      else assigned.delete(variable);
    });
  }
}

function alone<T>(pairs: readonly Pair[], f: () => T): T {
  const record = new Trace(false);
  for (const [variable, value] of pairs) record.begun.set(variable, value);
  const result = tracing(record, () => settled(f()));
  const given = new Set(pairs.map(([variable]) => variable));
  const others = [...record.assigned].filter(([variable]) => !given.has(variable));
  assignAll(others.map(([variable, version]) => [variable, version.inputs[0]!]));
  for (const [variable, g] of record.gradients) variable.grad = g;
  return result;
}

/** `result` with variables as the tensors that they stand for now. */
function settled<T>(result: T): T;
function settled(result: unknown): unknown {
  if (result instanceof Tensor) return result.node;
  if (typeof result !== "object" || result === null) return result;
  if (Array.isArray(result)) return result.map((entry) => settled(entry));
  if (!isPlainObject(result))
    throw new ValueError(
      `withValues: the function returns ${describe(result)}, which could use the variables later; return tensors, in arrays and plain ` +
        "objects",
    );
  return Object.fromEntries(Object.entries(result).map(([key, entry]) => [key, settled(entry)]));
}
