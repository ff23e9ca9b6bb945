import {
  compile,
  defineOp,
  evaluate,
  grad,
  permutation,
  type Tensor,
  tensor,
  uniform,
  variable,
  zero,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

/** `x + 1` with `size` elements by a kernel that counts how often it runs. */
function counting(size = 1): { step: (x: Tensor) => Tensor; runs: () => number } {
  let runs = 0;
  const op = defineOp({
    name: "step",
    kernel: {
      kind: "opaque",
      run: ([x], out) => {
        runs++;
        out.data.fill(x!.data[0]! + 1);
      },
    },
    derivatives: [zero],
    shape: () => [size],
    dtype: ([x]) => x!.dtype,
  });
  return { step: (x) => op([x], {}), runs: () => runs };
}

describe("what is built on after a reading", () => {
  test("is kept: a state is not computed from the beginning", () => {
    const { step, runs } = counting();
    let x: Tensor = tensor([0]);
    for (let i = 1; i <= 20; i++) {
      x = step(x);
      expect(x.mul(2).sum().item()).toBe(2 * i);
    }
    expect(runs()).toBe(1 + 2 * 19);
  });

  test("becomes a leaf if it is detached", () => {
    const { step, runs } = counting();
    let x: Tensor = tensor([0]);
    for (let i = 1; i <= 20; i++) {
      const before = x;
      x = step(x).detach();
      expect(x.mul(2).sum().item()).toBe(2 * i);
      expect(before.inputs).toEqual([]);
    }
    expect(runs()).toBe(1 + 2 * 19);
  });

  test("is kept below the parts that are taken of it", () => {
    const { step, runs } = counting(8);
    const data = step(tensor([0]));
    for (let i = 0; i < 5; i++)
      expect(
        data
          .reshape([4, 2])
          .slice(i % 4, (i % 4) + 1)
          .sum()
          .item(),
      ).toBe(2);
    expect(runs()).toBe(2);
    const [first, second] = step(tensor([0])).split(4) as [Tensor, Tensor];
    for (const part of [first, second, first, second]) expect(part.mul(2).sum().item()).toBe(8);
    expect(runs()).toBe(4);
    const order = permutation(6);
    const seen = Array.from({ length: 6 }, (_, i) =>
      order
        .slice(i, i + 1)
        .sum()
        .item(),
    );
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("is not kept while updates are pending, if it depends on variables", () => {
    const { step, runs } = counting();
    const [w, data] = [variable([1]), step(tensor([0]))];
    const h = step(w);
    expect(h.sum().add(data.sum()).item()).toBe(3);
    w.assign(w.sub(h).mul(data));
    expect(w.toArray()).toEqual([-1]);
    expect(runs()).toBe(4);
    expect(h.mul(data).item()).toBe(2);
    expect(runs()).toBe(5);
  });

  test("is not kept if it is large, and larger than what it is made of", () => {
    const { step, runs } = counting(5_000_000);
    const large = step(tensor([0]));
    for (let i = 1; i <= 3; i++) expect(large.slice(0, i).sum().item()).toBe(i);
    expect(runs()).toBe(3);
  });

  test("is not kept for the sake of a number that fills as many elements", () => {
    const { step, runs } = counting(5_000_000);
    const large = step(tensor([0]));
    for (let i = 1; i <= 3; i++) {
      const filled = large.add(zeros([5_000_000]));
      expect(filled.slice(0, i).sum().item()).toBe(i);
    }
    expect(runs()).toBe(3);
  });

  test("keeps the derivatives that it had", () => {
    const x = tensor([1, 2]);
    const y = x.mul(x);
    const z = y.mul(y);
    z.sum().item();
    const [g] = grad(z.sum(), [x]);
    g.sum().item();
    const [h] = grad(g.sum(), [x]);
    evaluate(g, h);
    expect([g.toArray(), h.toArray()]).toEqual([
      [4, 32],
      [12, 48],
    ]);
    expect(grad(z.sum(), [y])[0].toArray()).toEqual([2, 8]);
  });

  test("is kept, whatever is read in between and whether it is ever read itself", () => {
    const { step, runs } = counting();
    let [x, velocity]: Tensor[] = [tensor([0]), tensor([0])];
    for (let i = 1; i <= 20; i++) {
      const energy = x!.square().sum();
      velocity = step(velocity!);
      x = x!.add(velocity);
      energy.item();
      uniform([2]).sum().item();
      x.toArray();
    }
    expect(runs()).toBe(1 + 2 * 19);
  });

  test("is kept while updates are pending, if it depends on versions before those that they replace", () => {
    const { step, runs } = counting();
    const w = variable([1]);
    let [momentum, state]: Tensor[] = [tensor([0]), tensor([0])];
    for (let i = 1; i <= 20; i++) {
      const loss = w.mul(2).sub(state!.detach()).square().sum();
      const [g] = grad(loss, [w]);
      momentum = step(momentum!).add(g.mul(0));
      state = step(state!.detach()).mul(w.mul(0).add(1));
      w.assign(w.sub(momentum.mul(0.001)).add(state.mul(0)));
      loss.item();
    }
    expect(runs()).toBeLessThanOrEqual(4 * 20);
    expect([momentum!.item(), state!.item()]).toEqual([20, 20]);
  });

  test("is kept if it depends on variables that are not assigned any more", () => {
    const { step, runs } = counting();
    const [frozen, w] = [variable([1]), variable([1])];
    const features = step(frozen.mul(2)).detach();
    for (let i = 0; i < 10; i++) {
      const loss = features.mul(w).sum();
      w.assign(w.mul(0.5));
      loss.item();
    }
    expect(runs()).toBe(2);
  });

  test("costs a gradient nothing of its history", () => {
    const once = (x: Tensor) => {
      const begin = performance.now();
      for (let i = 0; i < 100; i++) grad(x.mul(x).sum(), [x]);
      return performance.now() - begin;
    };
    // The shortest: other processes may interrupt any of them.
    const time = (x: Tensor) => Math.min(...Array.from({ length: 5 }, () => once(x)));
    let x: Tensor = tensor([1]);
    time(x);
    const before = time(x);
    for (let i = 0; i < 20_000; i++) x = x.mul(1);
    evaluate(x);
    expect(time(x)).toBeLessThan(20 * before);
  });

  test("lets go of its elements if nothing used them for long and there is much of it", () => {
    const { step, runs } = counting(2 ** 22);
    const states: Tensor[] = [tensor([0])];
    for (let i = 1; i <= 40; i++) {
      states.push(step(states.at(-1)!));
      expect(states[i]!.slice(0, 1).mul(2).item()).toBe(2 * i);
    }
    // 40 states of 16 MiB, of which 16 may lie idle and 8 were used lately.
    const before = runs();
    expect(states[35]!.slice(0, 1).item()).toBe(35);
    expect(states[10]!.slice(0, 1).item()).toBe(10);
    expect(runs()).toBe(before);
    expect(states[25]!.slice(0, 1).item()).toBe(25);
    expect(runs() - before).toBeGreaterThanOrEqual(8);
    expect(runs() - before).toBeLessThanOrEqual(10);
  });

  test("keeps its elements if it was read or captured", () => {
    const { step, runs } = counting(2 ** 22);
    const [read, captured, other] = [tensor([1]), tensor([2]), tensor([3])].map(step);
    for (const x of [read, captured, other]) x!.slice(0, 1).item();
    for (const x of [read, captured, other]) x!.slice(0, 1).mul(2).item();
    evaluate(read!);
    const sum = compile((n: Tensor) => captured!.slice(0, 2).add(n).sum());
    expect(sum(tensor([1])).item()).toBe(8);
    let state: Tensor = tensor([0]);
    for (let i = 1; i <= 30; i++) {
      state = step(state);
      expect(state.slice(0, 1).mul(2).item()).toBe(2 * i);
    }
    const before = runs();
    expect(read!.slice(0, 1).item()).toBe(2);
    expect(sum(tensor([1, 2])).item()).toBe(9);
    expect(runs()).toBe(before);
    expect(other!.slice(0, 1).item()).toBe(4);
    expect(runs()).toBe(before + 1);
  });
});
