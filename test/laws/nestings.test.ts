import {
  cat,
  checkpoint,
  compile,
  customGradient,
  einsum,
  evaluate,
  eye,
  fromTypedArray,
  grad,
  hvp,
  jacobian,
  jvp,
  layerNorm,
  logsumexp,
  norm,
  pushforward,
  rebuild,
  softmax,
  solve,
  sort,
  stack,
  straightThrough,
  type Tensor,
  tensor,
  unfold,
  type Variable,
  valueAndGrad,
  variable,
  vjp,
  vmap,
  where,
  withValues,
  zeros,
} from "@cotangent/autograd";
import fc from "fast-check";
import { expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { same, sameEvaluated } from "../bits.ts";
import { mulberry32 } from "../mulberry.ts";

/**
 * The law of transforms that stand one inside the other: random stacks of them, on random functions, give what the definitions
 * of each say, and what is compiled or evaluated as a program has the interpreter's bits.
 */

type F = (x: Tensor) => Tensor;

const f64 = { dtype: "float64" } as const;
const filled = (shape: readonly number[], element: (i: number) => number): Tensor =>
  fromTypedArray(
    Float64Array.from({ length: shape.reduce((product, n) => product * n, 1) }, (_, i) => element(i)),
    shape,
  );
const drawn = (shape: readonly number[], seed: number): Tensor => {
  const random = mulberry32(seed);
  return filled(shape, () => 2.4 * random() - 1.2);
};
const mask = (x: Tensor) => x.mul(7).sin().gt(0);
const isMatrix = (x: Tensor) => x.rank === 2 && x.size > 0;

/** Steps of a function, all of them bounded; the tensor itself where they do not fit. */
const steps: readonly ((x: Tensor, seed: number) => Tensor)[] = [
  (x) => x.sin(),
  (x) => x.mul(x).sub(0.3),
  (x) => x.tanh().exp(),
  (x) => x.square().add(0.5).pow(0.75),
  (x, seed) => x.mul(drawn(x.shape, seed)),
  (x) => where(mask(x), x, x.mul(-0.5)),
  (x) => x.mul(x.sum().cos()),
  (x) => (x.rank > 0 ? x.sub(x.mean(0)) : x),
  (x) => (x.rank > 0 ? softmax(x, -1) : x),
  (x) => (x.rank > 0 && x.shape.at(-1)! > 1 ? layerNorm(x, x.shape.slice(-1)) : x),
  (x) => (x.rank > 0 ? norm(x.add(2), -1, { keepDims: true }).mul(x) : x),
  (x) => (x.rank > 0 ? x.cumsum(0).sin() : x),
  (x) => (x.rank > 0 && x.size > 0 ? logsumexp(x, 0) : x),
  (x) => (x.rank > 0 ? sort(x, -1).values : x),
  (x) => (x.rank > 0 ? x.flip(-1).slice(0, null, { axis: -1, step: 2 }) : x),
  (x) => (x.rank > 0 ? x.gather(0, x.argsort(0)).mul(x) : x),
  (x, seed) => {
    if (x.rank === 0) return x;
    const random = mulberry32(seed);
    const index = filled(x.shape, () => Math.floor(random() * x.shape[0]!)).cast("int32");
    return x.scatterAdd(0, index, x.cos());
  },
  (x) => (x.rank < 3 && x.size < 12 ? stack([x, x.mul(0.5)], -1) : x),
  (x) => x.reshape([x.size]),
  (x) => (x.rank === 1 && x.size > 1 ? unfold(x, 0, 2, 1) : x),
  (x) => (isMatrix(x) ? x.matmul(x.transpose()).tanh() : x),
  (x) => (isMatrix(x) ? einsum("ij,ij->j", x, x.sin()) : x),
  (x) => (isMatrix(x) ? solve(x.matmul(x.transpose()).add(eye(x.shape[0]!, f64)), x) : x),
  (x) => straightThrough(x, x.round().mul(0.5)),
  (x) => x.mul(x.detach().cos()),
  (x) => checkpoint((y: Tensor) => y.sin().mul(y))(x),
  (x) =>
    customGradient(
      (y: Tensor) => y.sin(),
      (g, out) => [g.mul(out).mul(1.5)],
    )(x),
  (x) => (x.rank > 0 && x.shape[0]! > 0 ? vmap((y: Tensor) => y.mul(y.sum()).sin())(x) : x),
  (x) => jvp((y: Tensor) => y.sin().mul(y.sum()))(x, x.cos())[1],
];

type Plan = readonly (readonly [step: number, seed: number])[];

/** The function of a plan; its result has one axis, and few elements. */
const planned =
  (plan: Plan): F =>
  (x) => {
    const made = plan.reduce((y, [step, seed]) => {
      const next = steps[step % steps.length]!(y, seed);
      return next.size <= 24 ? next : y;
    }, x);
    const flat = cat([made.reshape([made.size]).slice(0, 3), made.sum().reshape([1])]);
    return flat.sin();
  };

const total = (y: Tensor): Tensor => y.mul(y.add(0.5)).sum();
const along = (x: Tensor): Tensor => x.mul(0.3).add(0.7);
const weights = (y: Tensor): Tensor => filled(y.shape, (i) => 1 - 0.3 * i);
const units = (x: Tensor): Tensor[] =>
  Array.from({ length: x.size }, (_, i) => filled(x.shape, (k) => Number(i === k)));

/** The gradient of a number, one element after the other in forward mode. */
function slopes(f: F, x: Tensor): Tensor {
  if (x.size === 0) return x;
  const z = x.add(0);
  const y = f(z);
  return stack(units(z).map((t) => pushforward(y, [z], [t]))).reshape(x.shape);
}

/** The derivative along `t`, one element after the other in reverse. */
function moved(f: F, x: Tensor, t: Tensor): Tensor {
  const z = x.add(0);
  const y = f(z);
  if (y.size === 0) return y;
  const rows = units(y).map((g) => grad(y, [z], { cotangent: g })[0].mul(t).sum());
  return stack(rows).reshape(y.shape);
}

const scales = [1, 0.8, 1.15];
const scale = tensor(scales, f64);
const summed = (parts: readonly Tensor[]): Tensor => parts.reduce((sum, y) => sum.add(y));
const times =
  (f: F): F =>
  (x) =>
    summed(scales.map((k) => f(x.mul(k))));

interface Transform {
  /** By the library, with a variable of the shape of the input for those that use one. */
  made(f: F, w: Variable): F;
  /** By its definition. */
  meant(f: F): F;
}

/** All of them take a tensor of the shape of the input, and give one that may have another. */
const transforms: Readonly<Record<string, Transform>> = {
  valueAndGrad: {
    made: (f) => (x) => valueAndGrad((z: Tensor) => total(f(z)))(x)[1],
    meant: (f) => (x) => slopes((z) => total(f(z)), x),
  },
  jvp: { made: (f) => (x) => jvp(f)(x, along(x))[1], meant: (f) => (x) => moved(f, x, along(x)) },
  vjp: {
    made: (f) => (x) => {
      const [y, pullback] = vjp(f)(x);
      return pullback(weights(y));
    },
    meant: (f) => (x) =>
      slopes((z) => {
        const y = f(z);
        return y.mul(weights(y)).sum();
      }, x),
  },
  hvp: {
    made: (f) => (x) => hvp((z: Tensor) => total(f(z)))(x, along(x)),
    meant: (f) => (x) => moved((z) => slopes((y) => total(f(y)), z), x, along(x)),
  },
  jacobian: {
    made: (f) => (x) => jacobian(f)(x).sin().sum().reshape([1]),
    meant: (f) => (x) =>
      stack(
        units(x)
          .map((t) => moved(f, x, t).sin().sum())
          .concat(zeros([], f64)),
      )
        .sum()
        .reshape([1]),
  },
  "vmap of scaled inputs": {
    made: (f) => (x) => vmap((k: Tensor) => f(x.mul(k)))(scale).sum(0),
    meant: times,
  },
  "vmap along the last axis": {
    made: (f) => (x) => vmap(f, { inAxes: -1 })(x.unsqueeze(x.rank).mul(scale)).sum(0),
    meant: times,
  },
  "vmap of a pullback": {
    made: (f) => (x) => {
      const [y, pullback] = vjp(f)(x);
      const rows = eye(y.size, f64).reshape([y.size, ...y.shape]);
      return vmap(pullback)(rows).sum(0);
    },
    meant: (f) => (x) => slopes((z) => f(z).sum(), x),
  },
  compile: { made: (f) => compile(f), meant: (f) => f },
  checkpoint: { made: (f) => checkpoint(f), meant: (f) => f },
  customGradient: {
    made: (f) =>
      customGradient(
        (x: Tensor) => f(x),
        (g, _, x) => [vjp(f)(x)[1](g)],
      ),
    meant: (f) => f,
  },
  withValues: { made: (f, w) => (x) => withValues([[w, x]], () => f(w)), meant: (f) => f },
  "an assignment that ends": {
    made: (f, w) => (x) =>
      withValues([[w, 1]], () => {
        w.assign(x.mul(0.9).detach());
        return f(x.mul(0.5).add(w));
      }),
    meant: (f) => (x) => f(x.mul(0.5).add(x.mul(0.9).detach())),
  },
  "a step inside": {
    made: (f, w) => (x) =>
      withValues([[w, x]], () => {
        const [g] = grad(total(f(w)), [w]);
        return withValues([[w, w.sub(g.mul(0.1))]], () => f(w));
      }),
    meant: (f) => (x) => f(x.sub(slopes((z) => total(f(z)), x).mul(0.1))),
  },
  rebuild: {
    made: (f) => (x) =>
      // What is compiled has no history that could be built again, but inside a transform.
      jvp((z: Tensor) => rebuild([f(z)], new Map([[z, z.mul(0.9)]]))[0]!)(x, zeros(x.shape, f64))[0],
    meant: (f) => (x) => f(x.mul(0.9)),
  },
};
const names = Object.keys(transforms);

interface Nesting {
  readonly names: readonly string[];
  readonly plan: Plan;
  readonly x: Tensor;
}

const nestings: fc.Arbitrary<Nesting> = fc
  .record({
    names: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    plan: fc.array(fc.tuple(fc.nat({ max: steps.length - 1 }), fc.nat({ max: 999 })), { maxLength: 4 }),
    shape: fc.constantFrom([2], [3], [1], [2, 2], [1, 3], [], [0], [2, 1, 2]),
    seed: fc.nat({ max: 999 }),
  })
  .map(({ names, plan, shape, seed }) => ({ names, plan, x: drawn(shape, seed) }));

function made({ names, plan, x }: Nesting): F {
  return names.reduce(
    (f: F, name) => transforms[name]!.made(f, variable(zeros(x.shape, f64))),
    planned(plan),
  );
}

const meant = ({ names, plan }: Nesting): F =>
  names.reduce((f, name) => transforms[name]!.meant(f), planned(plan));

const read = (f: F, x: Tensor): readonly number[] =>
  withCache(null, () => {
    const y = f(x);
    evaluate(y);
    return [y.size, ...y.toTypedArray()];
  });

const differs = (found: readonly number[], expected: readonly number[], by: number): boolean =>
  found.length !== expected.length ||
  found.some((y, i) => !(Math.abs(y - expected[i]!) <= by * (1 + Math.abs(expected[i]!))));

const numRuns = Number(process.env.RUNS ?? 100);

test("transforms of transforms give what their definitions say", () => {
  fc.assert(
    fc.property(nestings, (nesting) => {
      const { x } = nesting;
      const expected = read(meant(nesting), x);
      // Where the function itself makes much of an error of rounding, or has a kink, nothing can be said.
      const near = read(meant(nesting), x.mul(1 + 1e-13));
      fc.pre(!differs(near, expected, 1e-8));
      expect(
        differs(read(made(nesting), x), expected, 1e-6),
        `${read(made(nesting), x)} is not ${expected}`,
      ).toBe(false);
      const f = made(nesting);
      same((z) => [f(z!)], [x]);
      sameEvaluated((z) => [f(z!)], [x]);
    }),
    { numRuns },
  );
}, 120_000);
