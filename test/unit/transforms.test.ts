import {
  compile,
  type Flow,
  hessian,
  hvp,
  jacobian,
  jvp,
  leavesOf,
  lerp,
  pushforward,
  scalar,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  zeros,
} from "@cotangent/autograd";
import { expect, test } from "vitest";

interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
}

test("tangents belong to inputs by their keys, in whatever order they are written", () => {
  const f = ({ a, b }: Pair) => a.mul(b.square());
  const x: Pair = { a: scalar(2), b: scalar(3) };
  const written: Pair = { a: scalar(1), b: scalar(0) };
  const turned: Pair = { b: scalar(0), a: scalar(1) };
  for (const t of [written, turned]) {
    expect(jvp(f)(x, t)[1].item()).toBe(9);
    const { a, b } = hvp(f)(x, t);
    expect([a.item(), b.item()]).toEqual([0, 6]);
  }
});

test("tangents end where there are no floats, as cotangents do", () => {
  const x = tensor([1.5, 2.5]);
  const t = tensor([1, 1]);
  const whole = (z: Tensor) => z.cast("int32").cast("float32");
  expect(jvp(whole)(x, t)[1].toArray()).toEqual([0, 0]);
  expect(jvp((z: Tensor) => z.gt(2).cast("float32"))(x, t)[1].toArray()).toEqual([0, 0]);
  expect(pushforward(whole(x).mul(x), [x], [t]).toArray()).toEqual([1, 2]);
  const f = (z: Tensor) => whole(z).mul(z.square()).sum();
  expect(hessian(f)(x).toArray()).toEqual([
    [2, 0],
    [0, 4],
  ]);
  expect(hvp(f)(x, t).toArray()).toEqual([2, 4]);
  const table = tensor([0, 1, 4, 9]);
  const between = (z: Tensor) => {
    const i = z.cast("int32");
    return lerp(table.at(i), table.at(i.add(1)), z.sub(i));
  };
  expect(jvp(between)(x, t)[1].toArray()).toEqual([3, 5]);
});

const both = ({ a, b }: Pair) => ({ product: a.mul(b), parts: [a.square(), b.detach()] as const });

test("vjp and jvp take functions that return trees", () => {
  const x: Pair = { a: scalar(2), b: scalar(3) };
  const [value, pullback] = vjp(both)(x);
  expect(value.product.item()).toBe(6);
  const g = { product: scalar(10), parts: [scalar(1), scalar(5)] as const };
  const { a, b } = pullback(g);
  expect([a.item(), b.item()]).toEqual([10 * 3 + 2 * 2, 10 * 2]);
  const [again, derivative] = jvp(both)(x, { a: scalar(1), b: scalar(1) });
  expect(again.parts[0].item()).toBe(4);
  expect(derivative.product.item()).toBe(5);
  expect(derivative.parts.map((d) => d.item())).toEqual([4, 0]);
  const twice = vjp((z: Tensor) => [z, z, z.mul(2)])(scalar(1))[1];
  expect(twice([scalar(1), scalar(10), scalar(100)]).item()).toBe(211);
  const compiled = compile((x: Pair, g: Flow<ReturnType<typeof both>>) => vjp(both)(x)[1](g));
  expect(compiled(x, g).a.item()).toBe(34);
  const rows = vmap((z: Tensor) => jvp((y: Tensor) => [y.square(), y.exp()])(z, scalar(1))[1]);
  expect(rows(tensor([0, 3]))[0]!.toArray()).toEqual([0, 6]);
});

test("a result that is no tree of floats, or a cotangent of another form, is refused", () => {
  const x = scalar(2);
  const [, pullback] = vjp(both)({ a: x, b: x });
  const wrong = { product: x, parts: [tensor([1]), x] as const };
  expect(() => pullback(wrong)).toThrow("vjp: the cotangent has shape [1] and the output []");
  const short = { product: x } as unknown as typeof wrong;
  expect(() => pullback(short)).toThrow(
    "vjp: the cotangent has the keys product, and the value product, parts",
  );
  expect(() => jvp((z: Tensor) => ({ z, n: 3 }))(x, x)).toThrow(
    "jvp: the result is neither a tensor nor a tree of them: a tree has tensors at its leaves, got 3 at n;",
  );
  expect(() => vjp((z: Tensor) => [z, z.gt(0)])(x)).toThrow("vjp: result 1 is bool");
});

test("pushforward takes one tangent for each input", () => {
  const x = scalar(2);
  expect(() => pushforward(x.square(), [x], [x, x])).toThrow("there are 2 tangents and 1 inputs");
});

test("what hides its tensors is no tree: it would be one without leaves", () => {
  const x = tensor([1, 2]);
  const model = new Map([["w", x]]);
  expect(() => valueAndGrad((values: typeof model) => values.get("w")!.sum())(model)).toThrow(
    "valueAndGrad: the input is neither a tensor nor a tree of them: a tree has tensors at its leaves, got a Map, of which " +
      "Object.fromEntries makes an object;",
  );
  const later = async (y: Tensor) => y as never;
  expect(() => jvp(later)(x, x)).toThrow("a tree has tensors at its leaves, got a Promise");
  expect(() => vmap(later)(x)).toThrow(
    "vmap: the function returns something that is no tensor: a tree has tensors at its leaves, got a Promise",
  );
  expect(leavesOf({ a: [], b: { c: x } })).toEqual([x]);
});

test("valueAndGrad hands on what else the function has to tell", () => {
  const f = (x: Tensor, scale: Tensor) => [x.square().mul(scale).sum(), { most: x.amax(), n: 2 }] as const;
  const [[loss, aux], gradient] = valueAndGrad(f, { hasAux: true })(tensor([1, 3]), scalar(2));
  expect([loss.item(), aux.most.item(), aux.n]).toEqual([20, 3, 2]);
  expect(gradient.toArray()).toEqual([4, 12]);
  const step = compile((x: Tensor) => {
    const [[loss, { most }], gradient] = valueAndGrad(f, { hasAux: true })(x, scalar(2));
    return { loss, most, gradient };
  });
  expect(step(tensor([1, 3])).most.item()).toBe(3);
  const plain = (x: Tensor) => x.sum();
  expect(valueAndGrad(plain, { hasAux: false })(tensor([1, 3]))[0].item()).toBe(4);
  const three = ((x: Tensor) => [x.sum(), x, x]) as unknown as (x: Tensor) => readonly [Tensor, Tensor];
  expect(() => valueAndGrad(three, { hasAux: true })(tensor([1, 3]))).toThrow(
    "a pair [loss, aux], got an Array",
  );
  const pairless = plain as unknown as (x: Tensor) => readonly [Tensor, Tensor];
  expect(() => valueAndGrad(pairless, { hasAux: true })(tensor([1, 3]))).toThrow(
    "valueAndGrad: with hasAux the function has to return a pair [loss, aux], got a Tensor",
  );
});

test("of no elements there are no derivatives, of the right shape", () => {
  const none = zeros([0, 2]);
  expect(hessian((x: Tensor) => x.square().sum())(none).shape).toEqual([0, 2, 0, 2]);
  expect(jacobian((x: Tensor) => x.mul(2))(none).shape).toEqual([0, 2, 0, 2]);
  expect(jacobian((x: Tensor) => x.slice(0, 0))(tensor([1, 2])).shape).toEqual([0, 2]);
});
