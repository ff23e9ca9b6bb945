import type { DType } from "../dtype.ts";
import { isFloat } from "../dtype.ts";
import { CompileError, CotangentError } from "../errors.ts";
import { evaluate } from "../evaluate.ts";
import { Tensor } from "../graph.ts";
import { cast } from "../ops/cast.ts";
import { checkConformity } from "../ops/conformity.ts";
import { stack } from "../ops/join.ts";
import { fromTypedArray } from "../ops/leaf.ts";
import { sum } from "../ops/movement.ts";
import { add, mul, sub } from "../ops/pointwise.ts";
import type { Draw } from "../ops/sample.ts";
import { isDeclared } from "../ops/sample.ts";
import { rebuild } from "../rebuild.ts";
import { equalShapes, sizeOf } from "../shape.ts";
import { topology } from "../topology.ts";
import { hvp } from "../transform/function.ts";
import { grad, pushforward } from "../transform/gradient.ts";
import { leavesOf } from "../tree.ts";
import { checkGradient } from "../verify/gradient.ts";
import { vmap } from "../vmap.ts";
import type { SampledCall } from "./sampled.ts";

/** What every function of the registry must fulfil, for all arguments that its samples make. */
export interface Law {
  readonly sentence: string;
  /** The dtype of the floats among the samples. */
  readonly dtype: DType;
  /** Throws where the law does not hold. */
  check(call: SampledCall, draw: Draw): void;
}

function demand(holds: boolean, text: () => string): void {
  if (!holds) throw new Error(text());
}

/** The elements of `x`, which must not be written to. */
const elements = (x: Tensor) => evaluate([x])[0]!;
const numberOf = (x: Tensor) => elements(x)[0]!;
const total = (x: Tensor, y: Tensor) => numberOf(cast(sum(mul(x, y)), "float64"));

/** The result of a call that has derivatives, or null. */
function differentiable({ inputs, apply }: SampledCall): Tensor | null {
  if (inputs.length === 0) return null;
  const y = apply(inputs);
  return isFloat(y.dtype) ? y : null;
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

const inference: Law = {
  sentence: "the inferred shape and dtype are those of the elements",
  dtype: "float32",
  check({ inputs, results }) {
    for (const y of results(inputs)) {
      for (const node of topology([y]).nodes) checkConformity(node.op, node, node.attributes);
      const data = elements(y);
      demand(data.length === sizeOf(y.shape), () => `${data.length} elements in shape [${y.shape}]`);
      demand(data instanceof arrays[y.dtype], () => `${data.constructor.name} for ${y.dtype}`);
      demand(!data.some(Number.isNaN), () => `NaN among ${data}`);
    }
  },
};

const adjoint: Law = {
  sentence: "reverse mode is the adjoint of forward mode",
  dtype: "float64",
  check(call, draw) {
    const result = differentiable(call);
    if (!result) return;
    const { inputs } = call;
    // 1 or 2 by way of whole numbers and bools, which neither mode goes through.
    const step = add(cast(cast(cast(result, "int32"), "bool"), result.dtype), 1);
    const y = mul(result, step);
    const g = cast(draw.tensor(y.shape), y.dtype);
    const t = inputs.map((x) => draw.tensor(x.shape));
    const left = total(pushforward(y, inputs, t), g);
    const right = grad(y, inputs, { cotangent: g }).reduce((all, dx, i) => all + total(dx, t[i]!), 0);
    const gap = Math.abs(left - right) / Math.max(1, Math.abs(left), Math.abs(right));
    demand(
      gap < (y.dtype === "float32" ? 1e-5 : 1e-11),
      () => `${left} in forward mode, ${right} in reverse`,
    );
  },
};

/** The check of all derivatives of this order; inconclusive is not enough. Lower orders are another law. */
function differences(order: 1 | 2): Law["check"] {
  return (call, draw) => {
    const y = differentiable(call);
    if (!y) return;
    const report = checkGradient((...others) => call.apply(others), call.inputs, {
      order,
      directions: 1,
      seed: draw.integer(0, 1e6),
    });
    demand(report.pass || report.order < order, () => String(report));
  };
}

const first: Law = {
  sentence: "both modes equal finite differences",
  dtype: "float64",
  check: differences(1),
};

const second: Law = {
  sentence: "second derivatives equal finite differences of the first",
  dtype: "float64",
  check: differences(2),
};

const symmetry: Law = {
  sentence: "the Hessian is symmetric",
  dtype: "float64",
  check(call, draw) {
    const y = differentiable(call);
    if (!y) return;
    const { inputs, apply } = call;
    const weights = draw.tensor(y.shape);
    const f = (others: Tensor[]) => sum(mul(cast(apply(others), "float64"), weights));
    const [s, t] = [0, 1].map(() => inputs.map((x) => draw.tensor(x.shape)));
    const along = (from: Tensor[], to: Tensor[]) =>
      hvp(f)([...inputs], from).reduce((all, column, i) => all + total(column, to[i]!), 0);
    const [left, right] = [along(s!, t!), along(t!, s!)];
    const gap = Math.abs(left - right) / Math.max(1, Math.abs(left), Math.abs(right));
    demand(gap < 1e-9, () => `${left} along s and t, ${right} along t and s`);
  },
};

const precision: Law = {
  sentence: "float32 agrees with float64 to its precision",
  dtype: "float32",
  check({ inputs, apply }) {
    const y = apply(inputs);
    if (!isFloat(y.dtype)) return;
    const [exact] = rebuild([y], new Map(), { float32: "float64" });
    const [single, double] = evaluate([y, exact!]);
    let largest = 1;
    for (const x of double!) largest = Math.max(largest, Math.abs(x));
    for (let i = 0; i < single!.length; i++)
      demand(
        Math.abs(single![i]! - double![i]!) / largest < 2e-6,
        () => `${single![i]} in float32, ${double![i]} in float64`,
      );
    demandDTypes(y, inputs);
  },
};

/** Demands that every gradient has the dtype of what it is by. */
function demandDTypes(y: Tensor, inputs: readonly Tensor[]): void {
  const cotangent = cast(fromTypedArray(new Float64Array(y.size), y.shape), y.dtype);
  grad(y, inputs, { cotangent }).forEach((g, k) => {
    const { dtype } = inputs[k]!;
    demand(g.dtype === dtype, () => `the gradient by operand ${k} is ${g.dtype}, and the operand ${dtype}`);
  });
}

const rebuilding: Law = {
  sentence: "rebuilding a graph on the same leaves gives the same bits",
  dtype: "float32",
  check({ inputs, apply }) {
    const y = apply(inputs);
    const copies = inputs.map((x) => fromTypedArray(elements(x), x.shape));
    const [again] = rebuild([y], new Map(inputs.map((x, i) => [x, copies[i]!])));
    const [data, copied] = evaluate([y, again!]);
    for (let i = 0; i < data!.length; i++)
      demand(Object.is(data![i], copied![i]), () => `${copied![i]} instead of ${data![i]}`);
    demand(
      !topology([again!]).nodes.some((node) => inputs.includes(node)),
      () => "the copy uses the old leaves",
    );
  },
};

/** Demands that example `i` of `whole` is `one`, up to rounding in another order. */
function demandExample(whole: Tensor, i: number, one: Tensor, what: string): void {
  demand(equalShapes(whole.shape.slice(1), one.shape), () => `${what} has shape [${whole.shape}]`);
  const [all, alone] = evaluate([whole, one]);
  let largest = 1;
  for (const x of alone!) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  for (let k = 0; k < alone!.length; k++) {
    const [x, y] = [alone![k]!, all![i * alone!.length + k]!];
    demand(
      Object.is(x, y) || Math.abs(x - y) / largest < 1e-10,
      () => `${what} of example ${i} is ${y} at ${k}, and by itself ${x}`,
    );
  }
}

const batches: Law = {
  sentence: "vmap gives what one example after the other gives, derivatives too",
  dtype: "float64",
  check({ inputs, results, apply }, draw) {
    if (inputs.length === 0) return;
    const scales = [1, 1 - 2 ** -6, 1 - 2 ** -5];
    const only = draw.integer(-1, inputs.length - 1);
    const inAxes = inputs.map((_, i) => (only < 0 || i === only ? 0 : null));
    const examples = scales.map((scale) => inputs.map((x, i) => (inAxes[i] === null ? x : mul(x, scale))));
    const whole = inputs.map((x, i) => (inAxes[i] === null ? x : stack(examples.map((all) => all[i]!))));
    const compare = (f: (...xs: Tensor[]) => readonly Tensor[], what: string) => {
      const all = vmap(f as (...xs: Tensor[]) => Tensor[], { inAxes })(...whole);
      examples.forEach((xs, i) => {
        f(...xs).forEach((one, k) => {
          demandExample(all[k]!, i, one, what);
        });
      });
    };
    try {
      compare((...xs) => results(xs), "the result");
    } catch (error) {
      // Its shape depends on values, which one graph for all examples cannot have.
      if (error instanceof CompileError) return;
      throw error;
    }
    const y = apply(inputs);
    if (!isFloat(y.dtype)) return;
    const cotangent = cast(draw.tensor(y.shape), y.dtype);
    compare((...xs) => grad(apply(xs), xs, { cotangent }), "the gradient");
  },
};

/** Something of the same kind that may not fit: another shape, dtype, axis or index. */
function spoiled(x: unknown, draw: Draw): unknown {
  if (x instanceof Tensor) {
    const shape = draw.integer(0, 1) === 0 ? x.shape : draw.shape(0, 4, 0);
    const dtype = (["bool", "int32", "float32", "float64"] as const)[draw.integer(0, 3)]!;
    if (dtype === "int32") return sub(draw.indices(shape, 9), 4);
    return dtype === "bool" ? draw.bools(shape) : cast(draw.tensor(shape), dtype);
  }
  if (typeof x === "number") return [x + 1, -x - 1, 7, -7, 0.5, Number.NaN][draw.integer(0, 5)];
  if (Array.isArray(x)) {
    if (x.length === 0) return [0];
    const at = draw.integer(0, x.length);
    if (at === x.length) return draw.integer(0, 1) === 0 ? x.slice(1) : [...x, x[0]];
    return x.with(at, spoiled(x[at], draw));
  }
  return x;
}

const refusal: Law = {
  sentence: "a wrong argument is refused by a typed error that names the function",
  dtype: "float32",
  check({ f, args, name }, draw) {
    const at = draw.integer(0, args.length - 1);
    try {
      for (const y of leavesOf(f(...args.with(at, spoiled(args[at], draw))))) elements(y);
    } catch (error) {
      if (!(error instanceof CotangentError))
        throw new Error(
          `it is not refused by a typed error, but fails: ${String(error)}; check the arguments first, or in \`shape\` and \`dtype\` of the op`,
          { cause: error },
        );
      // What is no op of its own is refused by those that it is made of.
      if (!isDeclared(f)) return;
      demand(
        error.message.startsWith(`${name}: `),
        () =>
          `the error does not name it: ${error.message}; refuse what the op does not take, by \`accepts: "float"\` of pointwise or ` +
          "in `shape` and `dtype` of defineOp",
      );
    }
  },
};

/** All laws. */
export const laws: readonly Law[] = [
  inference,
  adjoint,
  first,
  second,
  symmetry,
  precision,
  rebuilding,
  batches,
  refusal,
];
