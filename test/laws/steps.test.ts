import {
  compile,
  fromTypedArray,
  grad,
  pad,
  slice,
  stack,
  type Tensor,
  unbind,
  variable,
  where,
} from "@cotangent/autograd";
import fc from "fast-check";
import { expect, test } from "vitest";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { withCrew } from "../crew.ts";
import { mulberry32 } from "../mulberry.ts";

/**
 * The law of the compiler for steps of time: each takes its part of one tensor and stacks its result beside the others, so that
 * kernels of one pattern count from different elements. Compiled, values, gradients and updates have the interpreter's bits.
 */

const numRuns = Number(process.env.RUNS ?? 150);

interface Case {
  readonly steps: number;
  readonly sizes: readonly [batch: number, channels: number];
  readonly axis: 0 | 1 | 2;
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc.record({
  steps: fc.integer({ min: 1, max: 9 }),
  sizes: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 3, 4, 5, 8, 21)),
  axis: fc.constantFrom(0, 1, 2),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

/** A step of gradient descent on a recurrence of random make, and what it moves. */
function recurrence({ steps, sizes: [batch, channels], axis, seed }: Case) {
  const numbers = mulberry32(seed);
  const draw = (...shape: number[]): Tensor =>
    fromTypedArray(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => numbers() * 2 - 1),
      shape,
    );
  const random = mulberry32(seed + 1);
  const below = (n: number) => Math.floor(random() * n);
  const state = variable(draw(batch, channels));
  const weight = variable(draw(channels, channels));
  const series = variable(draw(...[batch, channels].toSpliced(axis, 0, steps)));
  const leaves = [state, weight, series];
  const order = [(t: number) => t, (t: number) => steps - 1 - t, (t: number) => (2 * t) % steps][below(3)]!;
  const kinds = Array.from({ length: 1 + below(2) }, () => below(5));
  const [lag, chosen, end, move] = [below(steps), below(steps), below(4), below(4)];

  const next = (h: Tensor, x: Tensor, before: Tensor, kind: number): Tensor =>
    [
      () => h.add(x).tanh(),
      () => h.mul(x).sub(before),
      () => where(x.gt(0), h.matmul(weight), before),
      () => x.matmul(weight).add(h).sigmoid(),
      () => h.add(x.flip(1)).mul(before.mul(x)),
    ][kind]!();

  /** What becomes of the series itself: its own parts, elsewhere. */
  const shifted = (): Tensor => {
    const rest = slice(series, 1, null, { axis });
    const zero: [number, number] = [0, 0];
    const put = (widths: [number, number]) => pad(rest, [zero, zero, zero].with(axis, widths));
    return [
      () => put([0, 1]).mul(2),
      () => put([1, 0]).mul(0.5),
      () => put([0, 1]).add(series),
      () => series.flip(axis).mul(2),
    ][move]!();
  };

  const step = (): Tensor[] => {
    let h: Tensor = state;
    const parts = unbind(series, axis);
    const all: Tensor[] = [];
    for (let t = 0; t < steps; t++) {
      const part = (at: number) => parts[order(at)]!;
      h = next(h, part(t), part((t + lag) % steps), kinds[t % kinds.length]!);
      all.push(h);
    }
    const stacked = stack(all, axis);
    const last = unbind(stacked, axis)[steps - 1]!;
    const loss = [
      () => last.square().sum(),
      () => stacked.mul(series).sum(),
      () => last.add(stacked.mean([axis])).sum(),
      () => stacked.sum([axis]).add(all[chosen]!).square().mean(),
    ][end]!();
    const gradients = grad(loss, leaves, { unused: "zero" });
    state.assign(h.add(gradients[0]!.mul(0.01)));
    weight.assign(weight.sub(gradients[1]!.mul(0.01)));
    series.assign(shifted());
    return [loss, last, ...gradients];
  };
  return { step, variables: leaves };
}

const bits = (xs: readonly Tensor[]) =>
  xs.map((x) => [...x.toTypedArray()].map((v) => (Object.is(v, -0) ? "-0" : String(v))));

const hold = fc.property(cases, (drawn) => {
  const [made, plain] = [recurrence(drawn), recurrence(drawn)];
  const step = compile(made.step);
  for (let call = 0; call < 2; call++) {
    const expected = withCache(null, () => bits([...plain.step(), ...plain.variables]));
    expect(bits([...step(), ...made.variables])).toEqual(expected);
  }
});

test("steps of time that share their kernels give the interpreter's bits", () => {
  fc.assert(hold, { numRuns });
}, 120_000);

test("and those that several threads divide", () => {
  withCrew(2, (crew) => {
    fc.assert(hold, { numRuns });
    expect(crew.runs).toBeGreaterThan(numRuns);
  });
}, 120_000);
