import {
  type Compiled,
  CompileError,
  compile,
  grad,
  Setting,
  type Tensor,
  tensor,
  variable,
} from "@cotangent/autograd";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

/** A training step of so many layers that every pass has several portions, from the same numbers each time. */
function makeStep(): Compiled<(x: Tensor) => Tensor> {
  const weights = Array.from({ length: 60 }, (_, k) =>
    variable(
      Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(k + 4 * i + j + 1))),
    ),
  );
  return compile((x: Tensor) => {
    const out = weights.reduce((h: Tensor, w) => h.add(h.matmul(w).tanh().mul(0.1)), x);
    const loss = out.square().mean();
    const gradients = grad(loss, weights);
    weights.forEach((w, i) => {
      w.assign(w.sub(gradients[i]!.mul(0.1)));
    });
    return loss;
  });
}

const x = tensor([
  [0.1, 0.2, 0.3, 0.4],
  [-1, 1, -1, 1],
]);

const losses = (step: (x: Tensor) => Tensor): number[] => [1, 2, 3].map(() => step(x).item());

describe("prepare", () => {
  beforeEach(() => {
    // A clock by which every look at it comes 20 ms after the last: each portion is as small as can be.
    let now = 0;
    vi.spyOn(Date, "now").mockImplementation(() => (now += 20));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("compiles in portions, between which anything may be done", () => {
    const expected = losses(makeStep());
    const step = makeStep();
    let portions = 0;
    for (const _ of step.prepare(x)) {
      portions++;
      const v = variable([portions, 1]);
      const other = compile(() => v.mul(v).sum());
      expect(other().item()).toBe(portions ** 2 + 1);
      expect(x.add(portions).sum().item()).toBeCloseTo(1 + 8 * portions, 4);
    }
    expect(portions).toBeGreaterThan(20);
    expect(losses(step)).toEqual(expected);
    expect(step.explain()).toContain("1 program");
  });

  test("yields nothing where there is a program already, and runs none", () => {
    const step = makeStep();
    expect([...step.prepare(x)].length).toBeGreaterThan(20);
    expect([...step.prepare(x)]).toEqual([]);
    expect(losses(step)).toEqual(losses(makeStep()));
  });

  test("two at once, and a call while a program is prepared, do not disturb each other", () => {
    const expected = losses(makeStep());
    const [one, two] = [makeStep(), makeStep()];
    const [first, second] = [one.prepare(x), two.prepare(x)];
    const got: number[] = [];
    for (let i = 0, open = true; open; i++) {
      const ends = [first.next().done, second.next().done];
      open = ends.includes(false);
      if (i === 10) got.push(two(x).item());
    }
    got.push(two(x).item(), two(x).item());
    expect(got).toEqual(expected);
    expect(losses(one)).toEqual(expected);
  });

  test("a setting that changes meanwhile asks for another program", () => {
    const doubling = new Setting(false);
    const f = compile((y: Tensor) => y.mul(doubling.value ? 2 : 1).sum());
    for (const _ of f.prepare(x)) doubling.value = true;
    expect(f(x).item()).toBeCloseTo(2, 5);
  });

  test("throws what a call throws, and nothing has changed", () => {
    const w = variable([1, 2]);
    const f = compile((y: Tensor) => {
      w.assign(w.add(1));
      return tensor([y.sum().item()]);
    });
    expect(() => [...f.prepare(x)]).toThrow(CompileError);
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("inside another compiled function it does nothing", () => {
    const inner = makeStep();
    const outer = compile((y: Tensor) => {
      expect([...inner.prepare(y)]).toEqual([]);
      return inner(y);
    });
    expect(losses(outer)).toEqual(losses(makeStep()));
  });
});
