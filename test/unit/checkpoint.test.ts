import {
  checkGradient,
  checkpoint,
  compile,
  conv2d,
  dropout,
  evaluate,
  explain,
  explainNonFinite,
  Generator,
  gather,
  grad,
  hvp,
  jvp,
  normal,
  permute,
  rebuild,
  type Tensor,
  tensor,
  topology,
  toText,
  ValueError,
  type Variable,
  valueAndGrad,
  variable,
  vmap,
} from "@cotangent/autograd";
import { BatchNorm1d, Linear, Sequential, SGD } from "@cotangent/nn";
import { describe, expect, test } from "vitest";
import { Cache } from "../../packages/autograd/src/cache.ts";
import { placesOf } from "../../packages/autograd/src/compile/strided.ts";
import { withCache } from "../../packages/autograd/src/evaluate.ts";
import { same, sameEvaluated } from "../bits.ts";

type Wrap = typeof checkpoint;
const plain: Wrap = (f) => f;

const generator = new Generator(7);
const draw = (shape: number[], scale = 1): Tensor =>
  tensor(normal(shape, { generator }).mul(scale).toArray() as number[]);

/** A residual network: each layer captures its parameters. */
function network(wrap: Wrap, depth: number, width: number) {
  const own = new Generator(3);
  const parameter = (shape: number[]) => variable(normal(shape, { generator: own }).mul(0.3));
  const layers = Array.from({ length: depth }, () => ({
    w: parameter([width, width]),
    b: parameter([width]),
    v: parameter([width, width]),
  }));
  const blocks = layers.map(({ w, b, v }) =>
    wrap((x: Tensor) => x.add(x.matmul(w).add(b).tanh().matmul(v).sin())),
  );
  const loss = (x: Tensor) =>
    blocks
      .reduce((h, block) => block(h), x)
      .square()
      .mean();
  return { loss, blocks, parameters: layers.flatMap(({ w, b, v }) => [w, b, v]) };
}

/** Loss and gradients. */
const step =
  ({ loss, parameters }: ReturnType<typeof network>) =>
  (x: Tensor): Tensor[] => {
    const y = loss(x);
    return [y, ...grad(y, [x, ...parameters])];
  };

const bits = (tensors: readonly Tensor[]): unknown[] => {
  evaluate(...tensors);
  return tensors.map((x) => [...x.toTypedArray()]);
};

/** Of both ways to call the parts of a model, what `make` gives. */
const both = <T>(make: (wrap: Wrap) => T): [T, T] => [make(plain), make(checkpoint)];

/** Bytes of the arena of a compiled function. */
const arenaOf = (f: (x: Tensor) => Tensor[], x: Tensor): number => {
  const compiled = compile(f);
  compiled(x);
  return Number(/arena +([\d,]+)/.exec(explain(compiled))?.[1]?.replaceAll(",", ""));
};

/** The most elements that are alive at once when these nodes are evaluated one after the other. */
function peakOf(roots: readonly Tensor[]): number {
  const { nodes, starts, edges } = topology(roots.map((x) => x.node));
  const uses = new Array<number>(nodes.length).fill(0);
  for (const n of edges) uses[n]!++;
  for (const root of roots) uses[nodes.indexOf(root.node)]!++;
  let [alive, peak] = [0, 0];
  nodes.forEach((x, n) => {
    // What waits has the array of its operand.
    const own = x.op.name === "after" ? 0 : x.size;
    alive += own;
    peak = Math.max(peak, alive);
    for (const m of edges.slice(starts[n], starts[n + 1]))
      if (--uses[m]! === 0 && nodes[m]!.op.name !== "after") alive -= nodes[m]!.size;
  });
  return peak;
}

describe("checkpoint", () => {
  const x = draw([6, 8]);

  test("changes no bit of values and gradients, interpreted, evaluated as a program or compiled", () => {
    const [expected, found] = both((wrap) => bits(step(network(wrap, 4, 8))(x)));
    expect(found).toEqual(expected);
    same(step(network(checkpoint, 4, 8)), [x]);
    sameEvaluated(step(network(checkpoint, 4, 8)), [x]);
  });

  test("makes what a deep network keeps much smaller, for a forward pass more", () => {
    const wide = draw([128, 16]);
    const [kept, again] = both((wrap) => arenaOf(step(network(wrap, 32, 16)), wide));
    expect(again).toBeLessThan(0.4 * kept);
    const [all, few] = both((wrap) => peakOf(step(network(wrap, 32, 16))(wide)));
    expect(few).toBeLessThan(0.5 * all);
    const flops = (wrap: Wrap) => {
      const f = compile(step(network(wrap, 32, 16)));
      f(wide);
      return Number(/([\d,]+) +FLOP/.exec(explain(f))?.[1]?.replaceAll(",", ""));
    };
    const [once, twice] = both(flops);
    expect(twice / once).toBeGreaterThan(1.25);
    expect(twice / once).toBeLessThan(1.5);
  });

  test("a product does not look through a node that waits", () => {
    const y = checkpoint((z: Tensor) => z.exp())(x.sin());
    const waiting = topology(grad(y.sum(), [x])).nodes.find((node) => node.op.name === "after")!;
    expect(placesOf(permute(waiting, [1, 0])).source).toBe(waiting);
    const images = draw([2, 3, 17, 17]);
    const w = variable(draw([4, 3, 3, 3]));
    const layer = checkpoint((z: Tensor) => conv2d(z, w, null, { stride: 2 }).sigmoid());
    same((z) => grad(layer(z.tanh()).square().mean(), [w, z]), [images]);
  });

  test("is one program for a plain training loop", () => {
    const { loss, parameters } = network(checkpoint, 2, 8);
    const cache = new Cache({ patience: 0 });
    withCache(cache, () => {
      const optimizer = new SGD(parameters, { lr: 0.1 });
      for (let i = 0; i < 6; i++) {
        const y = loss(x);
        optimizer.step(y);
        y.item();
      }
    });
    expect([cache.compiled, cache.runs]).toEqual([1, 5]);
  });

  test("gives gradients to all that the function captures, used elsewhere too, in the same order of sums", () => {
    const w = variable(draw([8, 8], 0.4));
    const scale = draw([8]).exp();
    const make = (wrap: Wrap) => {
      const gate = w.sigmoid();
      const block = wrap((h: Tensor) => h.matmul(w).mul(scale).tanh().matmul(gate));
      return bits(grad(block(block(x).matmul(w)).add(x.matmul(gate)).sum(), [w, x, scale]));
    };
    const [expected, found] = both(make);
    expect(found).toEqual(expected);
  });

  test("takes and gives trees, and computes what several results share once more, not twice", () => {
    const w = variable(draw([8, 8], 0.4));
    const make = (wrap: Wrap) => {
      const cell = wrap(({ h, c }: { h: Tensor; c: Tensor }, name: string) => {
        const next = c.add(h.matmul(w).sigmoid());
        return { [name]: [next, next.tanh()] };
      });
      let state = { h: x, c: x.neg() };
      for (let i = 0; i < 3; i++) {
        const [c, h] = cell(state, "state").state as [Tensor, Tensor];
        state = { h, c };
      }
      return grad(state.h.add(state.c).sum(), [w, x]);
    };
    const [expected, found] = both(make);
    const count = (tensors: readonly Tensor[]) =>
      topology(tensors).nodes.filter((node) => node.op.name === "sigmoid").length;
    // The gradient does not read the forward pass of the last one.
    expect([count(expected), count(found)]).toEqual([3, 3 - 1 + 3]);
    expect(bits(found)).toEqual(bits(expected));
  });

  test("goes inside itself", () => {
    const make = (wrap: Wrap) => {
      const { blocks, parameters } = network(wrap, 6, 8);
      const half = (from: number) =>
        wrap((h: Tensor) => blocks.slice(from, from + 3).reduce((a, f) => f(a), h));
      const loss = (input: Tensor) => half(3)(half(0)(input)).square().mean();
      return step({ loss, blocks, parameters });
    };
    const [expected, found] = both((wrap) => bits(make(wrap)(x)));
    expect(found).toEqual(expected);
    same(make(checkpoint), [x]);
    const wide = draw([256, 8]);
    const once = arenaOf(step(network(checkpoint, 6, 8)), wide);
    expect(arenaOf(make(checkpoint), wide)).toBeLessThan(once);
  });

  test("goes together with forward mode and with derivatives of higher order", () => {
    const f = (wrap: Wrap) => (z: Tensor) =>
      wrap((a: Tensor) => a.sin().mul(a).exp())(z)
        .square()
        .sum();
    const t = draw([5]);
    const z = draw([5]);
    const [expected, found] = both((wrap) => bits([...jvp(f(wrap))(z, t), ...grad(f(wrap)(z), [z])]));
    expect(found).toEqual(expected);
    const [curved, again] = both((wrap) => hvp(f(wrap))(z, t).toArray() as number[]);
    again.forEach((value, i) => {
      expect(value / curved[i]!).toBeCloseTo(1, 5);
    });
    for (const order of [1, 2, 3] as const)
      expect(checkGradient(f(checkpoint), [tensor([0.3, -0.7])], { order }).pass).toBe(true);
  });

  test("goes together with vmap, inside and outside", () => {
    const w = variable(draw([8, 8], 0.4));
    const block = (wrap: Wrap) => wrap((row: Tensor) => row.matmul(w).tanh().matmul(w).sin());
    const each = (wrap: Wrap) =>
      vmap((row: Tensor) => grad(block(wrap)(block(wrap)(row)).square().sum(), [w])[0]);
    const [expected, found] = both((wrap) => bits([each(wrap)(x)]));
    expect(found).toEqual(expected);
    const all = (wrap: Wrap) => (rows: Tensor) => {
      const f = vmap((row: Tensor) =>
        Array.from({ length: 8 }, () => block(wrap)).reduce((h, g) => g(h), row),
      );
      return [grad(f(rows).square().sum(), [w])[0]];
    };
    const [whole, parts] = both((wrap) => bits(all(wrap)(x)));
    expect(parts).toEqual(whole);
    const wide = draw([256, 8]);
    const [kept, again] = both((wrap) => arenaOf(all(wrap), wide));
    expect(again).toBeLessThan(0.6 * kept);
    same((rows) => [each(checkpoint)(rows)], [x]);
  });

  test("computes nothing twice for derivatives that are taken inside of it", () => {
    const w = variable(draw([8, 8], 0.4));
    const inner = (wrap: Wrap) => (z: Tensor) => {
      const y = wrap((a: Tensor) => a.matmul(w).tanh())(z)
        .exp()
        .sum();
      return grad(y, [z])[0];
    };
    const tanhs = (y: Tensor) => topology([y]).nodes.filter((node) => node.op.name === "tanh").length;
    expect(tanhs(checkpoint(inner(plain))(x))).toBe(tanhs(inner(plain)(x)));
    expect(tanhs(checkpoint(inner(checkpoint))(x))).toBe(1 + tanhs(inner(plain)(x)));
    const of = (f: (z: Tensor) => Tensor) => grad(f(x).square().sum(), [w, x]);
    const [expected, found] = both((wrap) => bits(of(wrap(inner(plain)))));
    expect(found).toEqual(expected);
    const nested = bits(of(checkpoint(inner(checkpoint)))) as number[][];
    nested.forEach((values, i) => {
      values.forEach((value, k) => {
        expect(value).toBeCloseTo((expected as number[][])[i]![k]!, 3);
      });
    });
  });

  test("stays where a graph is rebuilt", () => {
    const z = tensor([0.5, 2]);
    const [y] = rebuild([checkpoint((a: Tensor) => a.exp().tanh())(z).sum()], new Map([[z, tensor([1, 3])]]));
    const [leaf] = topology([y!]).nodes;
    expect(toText(grad(y!, [leaf!])[0])).toContain("after");
  });

  test("calls the function once: what it draws is drawn once, and what it assigns is assigned once", () => {
    const make = (wrap: Wrap) => {
      const random = new Generator(5);
      const calls = variable(0);
      const block = wrap((h: Tensor) => {
        calls.assign(calls.add(1));
        return dropout(h.sin(), { p: 0.5, generator: random }).exp();
      });
      return (z: Tensor) => {
        const y = block(block(z)).sum();
        return [y, ...grad(y, [z]), calls.mul(1)];
      };
    };
    const [expected, found] = both((wrap) => bits(make(wrap)(x)));
    expect(found).toEqual(expected);
    expect(found[2]).toEqual([2]);
    const [compiled, again] = both((wrap) => {
      const f = compile(make(wrap));
      return [bits(f(x)), bits(f(x))];
    });
    expect(again).toEqual(compiled);
    expect(again[0]).not.toEqual(again[1]);
  });

  test("trains layers as they are, and running averages count each batch once", () => {
    const train = (wrap: Wrap, through: (f: (z: Tensor) => Tensor) => (z: Tensor) => Tensor) => {
      const own = new Generator(1);
      const first = new Linear(8, 8, { generator: own });
      const norm = new BatchNorm1d(8);
      const last = new Linear(8, 1, { generator: own });
      const optimizer = new SGD(new Sequential(first, norm, last).parameters(), { lr: 0.1 });
      const hidden = wrap((z: Tensor) => norm.forward(first.forward(z)).relu());
      const update = through((z) => {
        const loss = last.forward(hidden(z)).square().mean();
        optimizer.step(loss);
        return loss;
      });
      for (let i = 0; i < 3; i++) update(x).item();
      return bits([norm.runningMean!, norm.weight!, first.weight, last.weight] as Variable[]);
    };
    const [expected, found] = both((wrap) => train(wrap, (f) => f));
    expect(found).toEqual(expected);
    expect(train(checkpoint, (f) => compile(f))).toEqual(expected);
  });

  test("reads, sorts and gathers again", () => {
    const make = (wrap: Wrap) => {
      const block = wrap((h: Tensor) =>
        h
          .exp()
          .sort()
          .values.mul(h.sum(1, { keepDims: true }))
          .cumsum(1),
      );
      return (z: Tensor) => grad(block(block(z.tanh())).square().mean(), [z]);
    };
    const [expected, found] = both((wrap) => bits(make(wrap)(x)));
    expect(found).toEqual(expected);
    same(make(checkpoint), [x]);
  });

  test("leaves the op to blame for what is not finite", () => {
    const z = tensor([1, 0]);
    const f = checkpoint((a: Tensor) => a.mul(2).sqrt().add(1));
    const found = explainNonFinite(f(z).sum(), [z]);
    expect([found?.op, found?.phase, found?.index]).toEqual(["sqrt", "backward", [1]]);
    expect(explainNonFinite(checkpoint((a: Tensor) => a.log().exp())(z).sum(), [z])?.op).toBe(
      explainNonFinite(z.log().exp().sum(), [z])?.op,
    );
  });

  test("is computed in valueAndGrad of a function that is checkpointed as a whole", () => {
    const f = (a: Tensor) => a.sin().square().sum();
    expect(bits(valueAndGrad(checkpoint(f))(x))).toEqual(bits(valueAndGrad(f)(x)));
  });

  test("is over when the function throws", () => {
    const f = checkpoint((z: Tensor) => z.exp().matmul(z));
    expect(() => f(tensor([[1, 2]]))).toThrow("matmul");
    const z = tensor([1, 2]);
    expect(toText(grad(z.exp().sum(), [z])[0])).not.toContain("after");
  });

  test("tells the line of a wrong index, though only the gradient computes it", () => {
    const z = tensor([1, 2]);
    const f = checkpoint((a: Tensor) => gather(a, 0, tensor([0, 5], { dtype: "int32" }).mul(1)).exp());
    const [g] = grad(f(z).sum(), [z]);
    expect(() => g.toArray()).toThrow(/index 5 is outside axis 0 of size 2.*; made .*checkpoint\.test/);
  });

  test("refuses what is no function of tensors", () => {
    expect(() => checkpoint(new Linear(2, 2) as never)).toThrow("for a layer pass (x) => layer.forward(x)");
    expect(() => checkpoint(async (a: Tensor) => a)(x)).toThrow("is async");
    expect(() => checkpoint(() => [x, 3])()).toThrow(
      "no tensor: a tree has tensors at its leaves, got 3 at 1",
    );
    expect(() => checkpoint(() => undefined)()).toThrow(ValueError);
    expect(() => checkpoint(() => [])()).toThrow("returns no tensor");
  });
});
