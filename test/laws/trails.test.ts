import { scalar, Tensor } from "@cotangent/autograd";
import fc from "fast-check";
import { expect, test } from "vitest";
import { numberIn, topology, topologyAlong } from "../../packages/autograd/src/topology.ts";

/**
 * The law of walks along an earlier one: they find what a walk of their own would find if that has the same edges, and nodes that are
 * accepted, else nothing.
 */

/** A node by the numbers of earlier ones: its operands, and what it goes on with if it has none. */
interface Drawn {
  readonly operands: readonly number[];
  readonly beyond: number;
  readonly isEnd: boolean;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  operands: fc.array(fc.nat(30), { maxLength: 3 }),
  beyond: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(30)),
  isEnd: fc.boolean(),
});

interface Graph {
  readonly roots: readonly Tensor[];
  readonly isEnd: (x: Tensor) => boolean;
  readonly beyond: (x: Tensor) => Tensor | null;
}

const { op } = scalar(1).add(scalar(1));

function made(nodes: readonly Drawn[], roots: readonly number[]): Graph {
  const tensors: Tensor[] = [];
  const ends = new Set<Tensor>();
  const behind = new Map<Tensor, Tensor>();
  for (const { operands, beyond, isEnd } of nodes) {
    const n = tensors.length;
    const inputs = n === 0 ? [] : operands.map((i) => tensors[i % n]!);
    const x = new Tensor(op, inputs, {}, [], "float32");
    if (isEnd && inputs.length === 1) ends.add(x);
    if (beyond >= 0 && n > 0) behind.set(x, tensors[beyond % n]!);
    tensors.push(x);
  }
  return {
    roots: roots.map((i) => tensors[i % tensors.length]!),
    isEnd: (x) => ends.has(x),
    beyond: (x) => behind.get(x) ?? null,
  };
}

const list = fc.array(drawn, { minLength: 1, maxLength: 30 });
const rootNumbers = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 });
const numbersOf = (order: ReturnType<typeof topology>, roots: readonly Tensor[]) =>
  roots.map((x) => numberIn(order, x));

/** Walks through `graph` along an earlier walk through `before`. */
function walked(before: Graph, graph: Graph, accepts: (x: Tensor, n: number) => boolean = () => true) {
  const first = topology(before.roots, before.isEnd, before.beyond);
  const trail = {
    starts: first.starts,
    edges: first.edges,
    roots: numbersOf(first, before.roots),
    accepts,
  };
  const along = topologyAlong(trail, graph.roots, graph.isEnd, graph.beyond);
  const numbers = along?.nodes.map((x) => numberIn(along, x));
  const own = topology(graph.roots, graph.isEnd, graph.beyond);
  const { starts, edges } = own;
  const isSame =
    String([starts, "/", edges, "/", numbersOf(own, graph.roots)]) ===
    String([trail.starts, "/", trail.edges, "/", trail.roots]);
  return { along, numbers, own, isSame };
}

test("a graph that is built alike is found", () => {
  fc.assert(
    fc.property(list, rootNumbers, (nodes, roots) => {
      const { along, numbers, own } = walked(made(nodes, roots), made(nodes, roots));
      expect(along?.nodes).toEqual(own.nodes);
      expect(along?.edges).toEqual(own.edges);
      expect(along?.starts).toEqual(own.starts);
      expect(numbers).toEqual(own.nodes.map((_, n) => n));
    }),
  );
});

test("but not if one of its nodes is not accepted", () => {
  fc.assert(
    fc.property(list, rootNumbers, fc.nat(30), (nodes, roots, refused) => {
      const asked = new Map<number, Tensor>();
      const { along, own } = walked(made(nodes, roots), made(nodes, roots), (x, n) => {
        asked.set(n, x);
        return n !== refused;
      });
      expect(along === null).toBe(refused < own.nodes.length);
      for (const [n, x] of asked) expect(x).toBe(own.nodes[n]);
      expect(asked.size).toBe(own.nodes.length - (along === null ? refused : 0));
    }),
  );
});

test("another one is found if it has the same edges, and only then", () => {
  let found = 0;
  let missed = 0;
  const change = fc.record({
    at: fc.nat(30),
    to: drawn,
    more: fc.array(drawn, { maxLength: 1 }),
  });
  fc.assert(
    fc.property(list, rootNumbers, rootNumbers, change, (nodes, roots, others, { at, to, more }) => {
      const changed = [...nodes.with(at % nodes.length, to), ...more];
      for (const [before, graph] of [
        [made(nodes, roots), made(changed, roots)],
        [made(changed, roots), made(nodes, roots)],
        [made(nodes, roots), made(nodes, others)],
      ] as const) {
        if (before.roots.length !== graph.roots.length) continue;
        const { along, own, isSame } = walked(before, graph);
        if (isSame) found++;
        else missed++;
        expect(along !== null).toBe(isSame);
        if (along) expect(along.nodes.every((x, n) => x === own.nodes[n])).toBe(true);
      }
    }),
  );
  expect(found).toBeGreaterThan(10);
  expect(missed).toBeGreaterThan(10);
});
