import {
  type Attributes,
  add,
  CompileError,
  cholesky,
  compile,
  customGradient,
  defineOp,
  dot,
  Generator,
  gather,
  grad,
  hessian,
  linearRule,
  matmul,
  mul,
  pushforward,
  relu,
  ShapeError,
  solve,
  sort,
  type Tensor,
  tensor,
  uniform,
  ValueError,
  valueAndGrad,
  variable,
  vmap,
  zero,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

const x = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);

/** What each row gives by itself. */
const rowByRow = (f: (row: Tensor) => Tensor): unknown =>
  (x.toArray() as number[][]).map((row) => f(tensor(row)).toArray());

describe("vmap", () => {
  test("gives a gradient for each example", () => {
    const w = variable([1, -1]);
    const f = (row: Tensor): Tensor => grad(dot(row, w).square(), [w])[0];
    expect(vmap(f)(x).toArray()).toEqual(rowByRow(f));
    expect(compile(vmap(f))(x).toArray()).toEqual(rowByRow(f));
  });

  test("goes inside itself, inside derivatives and around them", () => {
    const outer = (a: Tensor, b: Tensor): Tensor =>
      vmap((p: Tensor) => vmap((q: Tensor) => p.mul(q), {})(b))(a);
    expect(outer(tensor([1, 2]), tensor([3, 4, 5])).toArray()).toEqual([
      [3, 4, 5],
      [6, 8, 10],
    ]);
    const total = (rows: Tensor): Tensor => vmap((row: Tensor) => row.square().sum())(rows).sum();
    expect(valueAndGrad(total)(x)[1].toArray()).toEqual(x.mul(2).toArray());
    const cubes = vmap((row: Tensor) => hessian((r: Tensor) => r.pow(3).sum())(row));
    expect(cubes(x).shape).toEqual([3, 2, 2]);
    expect(cubes(x).toArray()).toEqual(rowByRow((row) => hessian((r: Tensor) => r.pow(3).sum())(row)));
  });

  test("takes trees, axes for each argument, and gives trees with the axis where it is wanted", () => {
    const f = vmap(
      ({ a, b }: { a: Tensor; b: Tensor }, c: Tensor, name: string) => ({
        sum: add(a, b),
        [name]: [mul(a, c)],
      }),
      { inAxes: [1, null, null], outAxes: 1 },
    );
    const columns = x.transpose();
    const { sum, product } = f({ a: columns, b: columns }, tensor([10, 100]), "product") as unknown as {
      sum: Tensor;
      product: [Tensor];
    };
    expect(sum.toArray()).toEqual(columns.mul(2).toArray());
    expect(product[0].toArray()).toEqual([
      [10, 30, 50],
      [200, 400, 600],
    ]);
  });

  test("what does not depend on the examples is the same for all", () => {
    expect(vmap((_row: Tensor) => tensor([7]))(x).toArray()).toEqual([[7], [7], [7]]);
    const generator = new Generator(1);
    const [first, second, third] = vmap((_row: Tensor) => uniform([2], { generator }))(
      x,
    ).toArray() as number[][];
    expect([second, third]).toEqual([first, first]);
    expect(uniform([2], { generator }).toArray()).not.toEqual(first);
  });

  test("what the host computes is computed for each", () => {
    const matrices = vmap((row: Tensor) =>
      matmul(row.unsqueeze(1), row.unsqueeze(0)).add(
        tensor([
          [9, 0],
          [0, 9],
        ]),
      ),
    )(x);
    const f = (m: Tensor): Tensor => solve(cholesky(m), m.at(0));
    const alone = [0, 1, 2].map((i) => f(matrices.at(i) as Tensor).toArray());
    expect(vmap(f)(matrices).toArray()).toEqual(alone);
    expect(vmap((row: Tensor) => sort(row, -1, { descending: true }).values)(x).toArray()).toEqual([
      [2, 1],
      [4, 3],
      [6, 5],
    ]);
  });

  test("of no examples there are no results, of the right shape", () => {
    const none = tensor([]).reshape([0, 1]).expand([0, 3]).unsqueeze(1).expand([0, 3, 3]);
    for (const f of [(m: Tensor) => m.mul(2), (m: Tensor) => cholesky(m), (m: Tensor) => sort(m, -1).values])
      expect(vmap(f)(none as Tensor).toArray()).toEqual([]);
    expect(vmap((m: Tensor) => cholesky(m))(none as Tensor).shape).toEqual([0, 3, 3]);
  });

  test("keeps a rule of the user's, which speaks of one example", () => {
    const f = customGradient(
      function summed(row: Tensor) {
        return row.sum();
      },
      (g, _, row) => {
        expect([g.shape, row.shape]).toEqual([[], [2]]);
        return [mul(g, row).mul(100) as Tensor];
      },
    );
    expect(vmap((row: Tensor) => grad(f(row), [row])[0])(x).toArray()).toEqual(x.mul(100).toArray());
  });

  test("asks an op of the user's that knows one number of axes about one example", () => {
    const placed: (operands: readonly Tensor[], attributes: Attributes) => Tensor = defineOp({
      name: "placed",
      kernel: { kind: "scatter" },
      derivatives: [linearRule((g, out, { axis }) => gather(g, Number(axis), out.inputs[1]!)), zero],
      shape: ([row], { size }) => {
        if (row!.rank > 2) throw new ShapeError("placed: takes a row, or a matrix");
        return [Number(size), ...row!.shape.slice(1)];
      },
      dtype: ([row]) => row!.dtype,
    });
    const index = tensor([3, 0], { dtype: "int32" });
    const f = (row: Tensor): Tensor => placed([row.square(), index], { axis: 0, size: 4 });
    const rows = vmap(f)(x);
    expect(rows.toArray()).toEqual(rowByRow(f));
    const weights = tensor([1, 10, 100, 1000]);
    expect(grad(rows.mul(weights).sum(), [x])[0].toArray()).toEqual([
      [2000, 4],
      [6000, 8],
      [10000, 12],
    ]);
    const nested = vmap((scale: Tensor) => vmap((row: Tensor) => f(row.mul(scale)))(x))(tensor([1, 2]));
    expect(nested.toArray()).toEqual([rowByRow(f), rowByRow((row) => f(row.mul(2)))]);
    expect(pushforward(rows, [x], [x]).toArray()).toEqual(rowByRow((row) => f(row).mul(2)));
  });

  test("has no example for a rule that is asked later, and says so", () => {
    const scaled = (row: Tensor, k: Tensor, inside: boolean): Tensor => {
      const f = customGradient(
        function scaling(z: Tensor) {
          return z.mul(k);
        },
        (g) => [g.mul(k).mul(100)],
      );
      return inside ? grad(f(row).sum(), [row])[0] : f(row);
    };
    const scales = tensor([1, 2, 3]);
    const expected = [
      [100, 100],
      [200, 200],
      [300, 300],
    ];
    expect(vmap((row: Tensor, k: Tensor) => scaled(row, k, true))(x, scales).toArray()).toEqual(expected);
    const y = vmap((row: Tensor, k: Tensor) => scaled(row, k, false))(x, scales).sum();
    expect(() => grad(y, [x])).toThrow(
      /^scaling: its derivative rule uses a tensor that the function of vmap was given or made, and that function has ended;/,
    );
    // Inside another vmap, and of a function that still runs.
    const both = (k: Tensor): Tensor => {
      const z = x.add(0);
      return grad(vmap((row: Tensor) => scaled(row, k, false))(z).sum(), [z])[0];
    };
    expect(vmap(both)(scales).amax(1).toArray()).toEqual(expected);
  });

  test("tells the line of what went wrong, which stands in the function", () => {
    const index = tensor([0, 1, 7], { dtype: "int32" });
    const f = (row: Tensor, i: Tensor): Tensor => row.mul(2).gather(0, i.unsqueeze(0));
    for (const g of [vmap(f), compile(vmap(f))])
      expect(() => g(x, index).toArray()).toThrow(/index 7 is outside .*; made at f .*vmap\.test\.ts/);
    const negative = vmap((row: Tensor) => cholesky(row.unsqueeze(0).mul(row.unsqueeze(1)).neg()));
    expect(() => negative(x).toArray()).toThrow(/^cholesky: .*; made at .*vmap\.test\.ts/);
  });

  test("a model with captured weights is its batched form", () => {
    const [w, b] = [uniform([2, 4], { low: -1 }), uniform([4])];
    const one = vmap((row: Tensor) => relu(matmul(row, w).add(b)))(x).toArray() as number[][];
    const whole = relu(matmul(x, w).add(b)).toArray() as number[][];
    one.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(whole[i]![j]!, 5);
      });
    });
  });

  test("refuses what it cannot do, and changes nothing", () => {
    const w = variable([1, 2]);
    const twice = (a: Tensor): Tensor => a.mul(2);
    expect(() => vmap(twice, { inAxes: null })(x)).toThrow(
      /^vmap: no argument has examples; give one an axis/,
    );
    expect(() => vmap(twice, { inAxes: [0, 0] })(x)).toThrow(ValueError);
    expect(() => vmap(twice)(tensor(1))).toThrow(/^vmap: argument 0 has no axes; where it is the same/);
    expect(() => vmap(twice, { inAxes: 2 })(x)).toThrow(ShapeError);
    expect(() => vmap((a: Tensor, c: Tensor) => a.add(c))(x, tensor([1, 2]))).toThrow(
      /^vmap: argument 1 has 2 examples along axis 0 of shape \[2\], others have 3;/,
    );
    expect(() => vmap((a: Tensor, n: number) => a.mul(n))(x, 2)).toThrow(
      /^vmap: argument 1 has something that is no tensor, so its inAxes must be null/,
    );
    expect(() => vmap((a: Tensor) => a.mul(a.sum().item()))(x)).toThrow(CompileError);
    expect(() => vmap(() => 3 as unknown as Tensor)()).toThrow("vmap: no argument has examples");
    expect(() => vmap((_row: Tensor) => 3 as unknown as Tensor)(x)).toThrow(
      /^vmap: the function returns something that is no tensor/,
    );
    const assigning = (a: Tensor): Tensor => {
      w.assign(a);
      return a;
    };
    expect(() => vmap(assigning)(x)).toThrow(
      "is assigned something else for each example; return it instead",
    );
    const summing = (a: Tensor): Tensor => {
      const loss = w.mul(a).sum();
      loss.backward();
      return loss;
    };
    expect(() => vmap(summing)(x)).toThrow("vmap: the function calls backward(), or sets grad");
    expect(() => compile((a: Tensor) => vmap(assigning)(a))(x)).toThrow(
      "is assigned something else for each example",
    );
    expect(() => compile((a: Tensor) => vmap(summing)(a))(x)).toThrow("vmap: the function calls backward()");
    expect(w.toArray()).toEqual([1, 2]);
    expect(w.grad).toBeNull();
  });

  test("that throws has assigned nothing, also where compile goes on after it", () => {
    const w = variable([1, 2]);
    const doubling = (a: Tensor): Tensor => {
      w.assign(w.mul(2));
      return a;
    };
    const badly = vmap(doubling, { outAxes: 5 });
    expect(() => badly(x)).toThrow("vmap: outAxes: axis 5 of shape [3, 2], whose axes are -2 ... 1");
    const failing = vmap((a: Tensor) => {
      doubling(a);
      a.mul(w).sum().backward();
      return a;
    });
    const inner = compile((a: Tensor) => doubling(a).reshape([7]));
    const goesOn = compile((a: Tensor) => {
      for (const f of [badly, failing, inner]) expect(() => f(a)).toThrow();
      return a.sum().add(w.sum());
    });
    expect(goesOn(x).item()).toBe(24);
    expect(w.toArray()).toEqual([1, 2]);
    expect(w.grad).toBeNull();
  });
});
