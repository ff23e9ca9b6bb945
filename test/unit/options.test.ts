import { setFlagsFromString } from "node:v8";
import { createContext, runInContext } from "node:vm";
import {
  arange,
  CompileError,
  checkGradient,
  compile,
  conv2d,
  exp,
  eye,
  full,
  Generator,
  grad,
  lgamma,
  linspace,
  logspace,
  matmul,
  normal,
  ones,
  scalar,
  softmax,
  svd,
  type Tensor,
  tensor,
  toDot,
  uniform,
  ValueError,
  type Variable,
  valueAndGrad,
  variable,
  vmap,
  zeros,
} from "@cotangent/autograd";
import { checkModel, checkOp, matchers } from "@cotangent/autograd/testing";
import { elements, magnitudes, programs, shapes, tensors } from "@cotangent/autograd/testing/fast-check";
import { Adam, BatchNorm1d, InstanceNorm1d, LBFGS, LevenbergMarquardt, Linear, SGD } from "@cotangent/nn";
import { batches } from "@cotangent/nn/data";
import { klDiv } from "@cotangent/nn/loss";
import { describe, expect, test } from "vitest";
import { sourceBundle } from "../../scripts/source-bundle.mjs";
import { captureConsole } from "../console.ts";

describe("an option that is undefined is as if it were not given", () => {
  const norms = { BatchNorm1d, InstanceNorm1d };
  for (const [name, Norm] of Object.entries(norms))
    for (const option of ["eps", "momentum", "affine", "trackRunningStats", "dtype"])
      test(`${option} of ${name}`, () => {
        const [given, usual] = [new Norm(2, { [option]: undefined }), new Norm(2)];
        expect(String(given)).toBe(String(usual));
        expect(Object.keys(given.stateDict())).toEqual(Object.keys(usual.stateDict()));
      });

  const steps = {
    LBFGS: ["lr", "maxIter", "maxEval", "toleranceGrad", "toleranceChange", "historySize", "lineSearchFn"],
    LevenbergMarquardt: ["damping", "up", "down", "maxIter", "toleranceGrad", "toleranceChange"],
  };
  for (const option of steps.LBFGS)
    test(`${option} of LBFGS`, () => {
      const stepped = [{ [option]: undefined }, {}].map((options) => {
        const w = variable([1, 2]);
        new LBFGS([w], options).step(() => w.square().sum());
        return w.toArray();
      });
      expect(stepped[0]).toEqual(stepped[1]);
    });
  for (const option of steps.LevenbergMarquardt)
    test(`${option} of LevenbergMarquardt`, () => {
      const stepped = [{ [option]: undefined }, {}].map((options) => {
        const w = variable([1, 2]);
        new LevenbergMarquardt([w], options).step(() => w.exp());
        return w.toArray();
      });
      expect(stepped[0]).toEqual(stepped[1]);
    });

  test("of a group, which has that of all groups", () => {
    const own: { lr?: number } = {};
    const group = { parameters: [variable([1])], lr: own.lr } as { parameters: Variable[]; lr?: number };
    const optimizer = new Adam([group], { lr: 0.2 });
    expect(optimizer.groups[0]!.lr).toBe(0.2);
  });
});

describe("compile with check", () => {
  const x = tensor([1, 2, 3]);

  test("names a captured number that changed, where it is used and what it was", () => {
    let rate = 0.5;
    const w = variable([1, 2, 3]);
    const step = compile(() => w.assign(w.sub(w.mul(x).mul(rate))), { check: true });
    step();
    step();
    const before = w.toArray();
    rate = 0.25;
    expect(step).toThrow(CompileError);
    expect(step).toThrow(
      /does not do what its program does: it has the number 0\.25 where the program has 0\.5, in mul\. .* pass what changes as an argument, or hold it in a variable or a Setting/,
    );
    expect(w.toArray()).toEqual(before);
    rate = 0.5;
    step();
    expect(w.toArray()).not.toEqual(before);
  });

  test("names a captured axis, tensor, op, count, list or variable that is another one", () => {
    const captured = {
      axis: 0,
      table: tensor([[1, 2]]),
      name: "exp" as "exp" | "log",
      count: 1,
      list: [1, 2],
      v: variable([1]),
    };
    const f = compile(
      (y: Tensor) => {
        const { axis, table, name, count, list, v } = captured;
        let z = y.sum(axis).mul(table.sum().neg())[name]().add(v);
        for (let i = 0; i < count; i++) z = z.neg();
        return [z, tensor(list).add(1)];
      },
      { check: true },
    );
    const call = () => f(zeros([2, 2]));
    call();
    const refused = (change: Partial<typeof captured>, message: RegExp) => {
      const before = { ...captured };
      Object.assign(captured, change);
      expect(call).toThrow(message);
      Object.assign(captured, before);
      call();
    };
    refused({ axis: 1 }, /it has sum \(float32\[2\]\) with axes \[1\] where the program has \[0\]\./);
    refused(
      { table: tensor([[1, 3]]) },
      /a captured tensor .* holds other elements than in the program, in sum/,
    );
    refused({ name: "log" }, /it has log \(float32\[2\]\) where the program has exp \(float32\[2\]\)\./);
    refused({ count: 2 }, /it has neg \(float32\[2\]\) where the program has a captured tensor/);
    refused(
      { list: [1, 3] },
      /captured tensor \(float32\[2\]\) holds other elements than in the program, in add/,
    );
    refused({ v: variable([1]) }, /it reads or assigns other variables/);
  });

  test("lets arguments, variables, random draws, and equal values that are made anew pass", () => {
    const generator = new Generator(3);
    const w = variable([1, 2]);
    const step = compile(
      (y: Tensor, k: number) => {
        const loss = w
          .mul(y)
          .sum()
          .mul(k)
          .add(uniform([2], { generator }).sum())
          .add(tensor([0, Number.NaN]).sum());
        const [g] = grad(loss, [w]);
        w.assign(w.sub(g!.mul(-0)));
        return softmax(loss.unsqueeze(0));
      },
      { check: true },
    );
    for (let i = 0; i < 4; i++) step(tensor([i, 1]), i);
    w.assign([7, 8].reduce((sum, n) => sum.add(n), w.add(0)));
    step(tensor([1, 1]), 2);
    expect(step.explain()).toMatch(/5 calls, 1 trace, .*check +every call traces/s);
  });

  test("throws what the function throws now, and leaves variables as they were", () => {
    const w = variable(1);
    let broken = false;
    const step = compile(
      () => {
        w.assign(w.add(1));
        if (broken) throw new RangeError("half way");
      },
      { check: true },
    );
    step();
    broken = true;
    expect(step).toThrow("half way");
    expect(w.item()).toBe(2);
  });
});

describe("compile with relaxed", () => {
  const [x, y] = [
    uniform([33, 40], { generator: new Generator(1) }),
    uniform([40, 24], { generator: new Generator(2) }),
  ];
  const f = (a: Tensor, b: Tensor) => {
    const c = matmul(a, b);
    return [c, c.mul(c).add(c), c.cast("float64").mul(0.1).add(0.3), softmax(c)];
  };
  const data = (list: Tensor[]) => list.map((z) => z.toTypedArray());
  const exact = data(compile(f)(x, y));

  test("keeps the interpreter's bits where the engine cannot, and says which it is", () => {
    const relaxed = compile(f, { relaxed: true });
    const found = data(relaxed(x, y));
    const text = relaxed.explain();
    if (/relaxed +was asked for, and this engine cannot/.test(text)) expect(found).toEqual(exact);
    else expect(text).toMatch(/relaxed +products and sums are rounded together/);
  });

  test("rounds products and sums together where it can", () => {
    // Engines of 2023 have it behind this flag, later ones always.
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    const relaxed = compile(f, { relaxed: true });
    const found = data(relaxed(x, y));
    expect(relaxed.explain()).toMatch(/relaxed +products and sums are rounded together/);
    found.forEach((values, i) => {
      const tolerance = i === 2 ? 1e-6 : 2e-5;
      values.forEach((value, k) => {
        expect(Math.abs(value - exact[i]![k]!)).toBeLessThan(tolerance * (1 + Math.abs(exact[i]![k]!)));
      });
    });
    expect(data(compile(f)(x, y))).toEqual(exact);
    // Where the processor has the instruction, and only then, some elements differ.
    const once = Math.fround(0.1) * Math.fround(0.1) - Math.fround(0.01);
    const probe = compile((a: Tensor, b: Tensor) => a.mul(a).add(b), { relaxed: true });
    const rounded = probe(zeros([128]).add(Math.fround(0.1)), zeros([128]).sub(0.01)).toTypedArray()[5]!;
    expect([Math.fround(once), Math.fround(Math.fround(0.1) ** 2) - Math.fround(0.01)]).toContain(rounded);
  });

  test("computes products of any number of rows, and those of windows", () => {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
    const generator = new Generator(3);
    const close = (g: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor) => {
      const expected = g(a, b).toTypedArray();
      const relaxed = compile(g, { relaxed: true });
      const found = relaxed(a, b).toTypedArray();
      expect(relaxed.explain()).toMatch(/relaxed +products and sums are rounded together/);
      expected.forEach((value, i) => {
        expect(Math.abs(found[i]! - value)).toBeLessThan(2e-5 * (1 + Math.abs(value)));
      });
    };
    for (let rows = 3; rows < 20; rows++)
      for (const columns of [24, 27])
        close(matmul, normal([rows, 40], { generator }), normal([40, columns], { generator }));
    close(matmul, normal([101, 300], { generator }), normal([300, 50], { generator }));
    // The left operand turned over: its rows lie side by side.
    close(
      (a, b) => matmul(a.transpose(), b),
      normal([40, 23], { generator }),
      normal([40, 24], { generator }),
    );
    close(conv2d, normal([2, 5, 9, 11], { generator }), normal([13, 5, 3, 3], { generator }));
  });

  test("is not for the formulas that functions are made of", () => {
    const g = (a: Tensor) => [a.exp(), a.tanh(), a.erf(), a.sin(), a.sigmoid(), lgamma(a)];
    const z = uniform([1000], { low: -5, high: 5, generator: new Generator(4) });
    expect(data(compile(g, { relaxed: true })(z))).toEqual(data(compile(g)(z)));
  });
});

describe("options", () => {
  test("that do not exist are refused", () => {
    expect(() => compile(() => scalar(1), { chek: true } as never)).toThrow(ValueError);
    expect(() => compile(() => scalar(1), { chek: true } as never)).toThrow(
      /no option chek; the options are check, relaxed/,
    );
    expect(() => compile(() => scalar(1), { check: 1 } as never)).toThrow(/check is true or false, got 1/);
  });

  const x = variable(1);
  const model = { namedParameters: () => new Map([["x", x]]) };
  const takers: Record<string, (options: never) => unknown> = {
    tensor: (options) => tensor([1], options),
    scalar: (options) => scalar(1, options),
    zeros: (options) => zeros([2], options),
    ones: (options) => ones([2], options),
    full: (options) => full([2], 1, options),
    eye: (options) => eye(2, 2, options),
    arange: (options) => arange(0, 2, 1, options),
    linspace: (options) => linspace(0, 1, 2, options),
    logspace: (options) => logspace(0, 1, 2, options),
    variable: (options) => variable([1], options),
    grad: (options) => grad(x.mul(2), [x], options),
    vmap: (options) => vmap((y: Tensor) => y, options),
    toDot: (options) => toDot([x], options),
    checkGradient: (options) => checkGradient((y) => y.mul(2), [scalar(1)], options),
    checkModel: (options) => checkModel(model, () => x.mul(2), [], options),
    checkOp: (options) => checkOp(exp, options),
    toBeCloseToTensor: (options) => matchers.toBeCloseToTensor(x, x, options),
    shapes: (options) => shapes(options),
    elements: (options) => elements(options),
    magnitudes: (options) => magnitudes(options),
    tensors: (options) => tensors(options),
    programs: (options) => programs(options),
  };
  for (const [name, take] of Object.entries(takers))
    test(`of ${name} that do not exist, or are not named, are refused`, () => {
      take(undefined as never);
      take({} as never);
      expect(() => take({ nonsense: 1 } as never)).toThrow(ValueError);
      expect(() => take({ nonsense: 1 } as never)).toThrow(
        `${name}: there is no option nonsense; the options are `,
      );
      for (const options of [1, "float64", [1], null, scalar(1)])
        expect(() => take(options as never)).toThrow(`${name}: options are named`);
    });

  test("that are true or false are nothing else: the text false is true", () => {
    const takers: Record<string, (given: never) => unknown> = {
      "sum: keepDims": (keepDims) => tensor([1]).sum(0, { keepDims }),
      "svd: fullMatrices": (fullMatrices) => svd(eye(2), { fullMatrices }),
      "valueAndGrad: hasAux": (hasAux) => valueAndGrad((y: Tensor) => y, { hasAux }),
      "compile: relaxed": (relaxed) => compile(() => scalar(1), { relaxed }),
      "Linear: bias": (bias) => new Linear(1, 1, { bias }),
      "BatchNorm1d: affine": (affine) => new BatchNorm1d(1, { affine }),
      "klDiv: logTarget": (logTarget) => klDiv(zeros([1]), zeros([1]), { logTarget }),
      "batches: shuffle": (shuffle) => batches([zeros([2])], { shuffle }),
      "SGD: nesterov": (nesterov) => new SGD([x], { lr: 1, momentum: 0.5, nesterov }),
      "Adam: maximize": (maximize) => new Adam([x], { maximize }),
    };
    for (const [name, take] of Object.entries(takers)) {
      for (const given of [true, false, undefined]) take(given as never);
      for (const given of ["false", 0, 1, null])
        expect(() => take(given as never), name).toThrow(`${name} is true or false, got `);
    }
  });

  test("of arange and eye may stand right behind the numbers that are given", () => {
    const dtype = "float64";
    for (const found of [arange(3, { dtype }), arange(0, 3, { dtype })]) expect(found.dtype).toBe(dtype);
    expect(arange(3, { dtype }).toArray()).toEqual([0, 1, 2]);
    expect(arange(1, 3, { dtype }).toArray()).toEqual([1, 2]);
    expect(eye(2, { dtype })).toMatchObject({ dtype, shape: [2, 2] });
    expect(() => arange(3, { dtyp: dtype } as never)).toThrow("arange: there is no option dtyp");
    expect(() => eye(3, { dtyp: dtype } as never)).toThrow("eye: there is no option dtyp");
  });
});

describe("limits", () => {
  test("a program that needs more than 4 GiB is refused before anything has changed", () => {
    const w = variable([1, 2]);
    const f = compile((n: Tensor) => {
      w.assign(w.mul(2));
      const large = n.broadcastTo([40_000, 40_000]).exp();
      return large.cumsum(0).sum();
    });
    expect(() => f(scalar(1))).toThrow(CompileError);
    expect(() => f(scalar(1))).toThrow(
      /the program needs 11\.92 GiB of memory, and WebAssembly has 4; pass smaller batches, or compile parts/,
    );
    expect(w.toArray()).toEqual([1, 2]);
  });

  test("shapes that change again and again keep 64 programs, and variables keep their values", () => {
    const w = variable([0]);
    const f = compile((x: Tensor) => w.assign(w.add(x.sum())));
    let sum = 0;
    for (let round = 0; round < 3; round++)
      for (let size = 1; size <= 70; size++) {
        for (let i = 0; i < 2; i++) f(zeros([size]).add(1));
        sum += 2 * size;
      }
    expect(w.toArray()).toEqual([sum]);
    expect(f.explain()).toContain("64 programs held of at most 64, 146 dropped");
  });
});

test("where a page forbids WebAssembly, plain and compiled code is interpreted, with one notice", async () => {
  const code = await sourceBundle(`
    import { compile, explain, grad, tensor, variable } from "@cotangent/autograd";
    const train = (wrap) => {
      const w = variable([1, 2]);
      const step = wrap(() => {
        const loss = w.mul(w).sum();
        const [g] = grad(loss, [w]);
        w.assign(w.sub(g.mul(0.125)));
        return loss;
      });
      const losses = Array.from({ length: 20 }, () => step().item());
      return JSON.stringify([losses, w.toArray(), wrap === compile ? explain(step) : null]);
    };
    globalThis.plain = train((f) => f);
    globalThis.compiled = train(compile);
    globalThis.again = compile((x) => x.mul(2))(tensor([1, 2])).toArray().join();
  `);
  const printed: string[] = [];
  const page = createContext(
    { console: { warn: (text: string) => printed.push(text) } },
    { codeGeneration: { strings: true, wasm: false } },
  );
  expect(() =>
    runInContext("new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))", page),
  ).toThrow(/disallowed/);
  runInContext(code, page);
  const { plain, compiled, again } = page as Record<string, string>;
  const [losses, w, text] = JSON.parse(compiled!);
  expect(JSON.stringify([losses, w, null])).toBe(plain);
  expect(losses[19]).toBeLessThan(0.1);
  expect(text).toMatch(/interpreted +WebAssembly is missing or not allowed here/);
  expect(again).toBe("2,4");
  expect(printed).toEqual([
    "cotangent: WebAssembly is missing or not allowed here; compiled functions are interpreted",
  ]);
});

test("a bundle that does not import explain has neither explanations nor checks, and says so", async () => {
  const code = await sourceBundle(`
    import { compile, scalar } from "@cotangent/autograd";
    const said = (f) => { try { return String(f()); } catch (error) { return String(error); } };
    globalThis.found = [
      said(() => compile(() => scalar(2))().item()),
      said(() => compile(() => scalar(2)).explain()),
      said(() => compile(() => scalar(2), { check: true })),
    ].join("\\n");
  `);
  const page = createContext({});
  runInContext(code, page);
  expect(page.found).toBe(
    [
      "2",
      "StateError: explain is not part of this bundle; import { explain } by its name somewhere",
      "StateError: check is not part of this bundle; import { explain } by its name somewhere",
    ].join("\n"),
  );
});

describe("compile inside compile", () => {
  test("is the function itself, made anew or not", () => {
    const w = variable(1);
    const outer = compile((x: Tensor) => {
      const inner = compile((y: Tensor) => {
        w.assign(w.add(1));
        return y.mul(w);
      });
      return inner(x).add(inner(x));
    });
    expect([outer(scalar(1)).item(), outer(scalar(1)).item()]).toEqual([2 + 3, 4 + 5]);
    expect(w.item()).toBe(5);
  });

  test("that throws half way leaves variables as they were", () => {
    const w = variable(1);
    const inner = compile(() => {
      w.assign(w.add(1));
      return w.sum().item();
    });
    const outer = compile(() => {
      w.assign(w.add(1));
      return scalar(inner() as unknown as number);
    });
    expect(outer).toThrow(/reading a value inside a function given to compile/);
    expect(w.item()).toBe(1);
  });
});

test("a notice is not given where WebAssembly is there", () => {
  const printed = captureConsole();
  compile(() => scalar(1))();
  expect(printed).toEqual([]);
});
