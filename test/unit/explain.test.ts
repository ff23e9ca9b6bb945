import {
  argsort,
  assignAll,
  CompileError,
  compile,
  explain,
  grad,
  Setting,
  scalar,
  sigmoid,
  softmax,
  type Tensor,
  tensor,
  uniform,
  ValueError,
  variable,
  zeros,
} from "@cotangent/autograd";
import { describe, expect, test } from "vitest";

const section = (text: string, title: string): string[] => {
  const parts = text.split("\n\n");
  const found = parts.find((part) => part.startsWith(title));
  if (found === undefined) throw new Error(`no section ${title} in\n${text}`);
  return found.split("\n").slice(1);
};

describe("the explanation of a program", () => {
  test("shows what every pass made", () => {
    const f = compile((x: Tensor) =>
      x
        .add(1)
        .mul(x.permute([1, 0]))
        .sum(0),
    );
    f(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ); // prettier-ignore
    expect(f.explain()).toMatchInlineSnapshot(`
      "compile: 1 call, 1 trace, 1 program held of at most 64
        call 1  traced: the first call

      program of the last call
        argument 0  float32[2, 2]
        rounding    the bits are the interpreter's, on every machine

      work
        arithmetic       12  FLOP a call, 0.50 for each byte that is read or written
        reads            16  bytes a call, each operand of a kernel once
        writes            8  bytes a call
        arguments        16  bytes
        variables         0  bytes, which stay in the program
        constants         0  bytes
        arena            80  bytes in all, 65,536 of memory
        code            170  bytes
        opaque imports    0  calls of the host

      graph: 6 nodes as traced
        arg0:    float32[2, 2]  = argument
        %0:      float32[2, 2]  = add(arg0, 1)
        %1:      float32[2, 2]  = permute(arg0, axes=[1, 0])
        %2:      float32[2, 2]  = mul(%0, %1)
        %3:      float32[2]     = sum(%2, axes=[0])
        returns  %3

      simplified: 6 nodes
        arg0:    float32[2, 2]  = argument
        %0:      float32[2, 2]  = add(arg0, 1)
        %1:      float32[2, 2]  = permute(arg0, axes=[1, 0])
        %2:      float32[2, 2]  = mul(%0, %1)
        %3:      float32[2]     = sum(%2, axes=[0])
        returns  %3

      kernels: 1, and what was fused in each
           does                 computes  FLOP  reads  writes  from
        0  reduce [2] over [2]  %3          12     16       8  add, permute, mul, sum

      bodies: what a kernel does at each index
        kernel 0: reduce sum
          @0: float32 = load arg0[i0 + 2 i1]
          @2: float32 = add @0, 1
          @3: float32 = load arg0[2 i0 + i1]
          @4: float32 = mul @2, @3
          %3[i0] = @4

      loops: how often, and how many bytes each walk through memory moves in a round
        0  2 written out, over 2 written out  walks (4, 8) (8, 4) (4, 0)

      plan: addresses in memory
        address  bytes  holds  lives
             16     16  arg0   always
             64      8  %3     from kernel 0 to the end

      code: 1 functions
           bytes  does
        0    170  run"
    `);
  });

  test("is the same by all three names", () => {
    const f = compile((x: Tensor) => x.neg());
    f(scalar(1));
    expect(compile.explain(f)).toBe(explain(f));
    expect(f.explain()).toBe(explain(f));
  });

  test("counts operations, bytes and calls of the host", () => {
    const f = compile((x: Tensor, y: Tensor) => argsort(x.matmul(y).add(1)));
    f(zeros([32, 16]), zeros([16, 8]));
    const work = section(explain(f), "work");
    // 2 * 32 * 16 * 8 in the product, one addition for each of 256 elements.
    expect(work[0]).toMatch(/^ {2}arithmetic +8,448 {2}FLOP/);
    expect(work.at(-1)).toMatch(/^ {2}opaque imports +1 {2}calls of the host: argsort$/);
    const [title, ...kernels] = section(explain(f), "kernels");
    expect(title).toMatch(/does +computes +FLOP +reads +writes +from/);
    const product = kernels.find((line) => line.includes("product"))!;
    expect(product).toMatch(/8,192 {2}2,560 {3}1,024 {2}matmul$/);
    expect(kernels.at(-1)).toMatch(/opaque \[32, 8\] .* 0 {2}1,024 {3}1,024 {2}argsort$/);
  });

  test("names arguments, variables, gradients and what is assigned", () => {
    const w = variable([1, 2], { name: "w" });
    const f = compile(({ x, rate }: { x: Tensor; rate: number }, mode: string) => {
      const loss = w.mul(x).sum();
      const [g] = grad(loss, [w]);
      w.assign(w.sub(g!.mul(rate)));
      return mode === "twice" ? loss.mul(2) : loss;
    });
    f({ x: tensor([3, 4]), rate: 0.5 }, "once");
    const text = explain(f);
    expect(section(text, "program")).toEqual([
      "  argument 0  { x: float32[2], rate: a number }",
      '  argument 1  "once"',
      "  rounding    the bits are the interpreter's, on every machine",
    ]);
    const graph = section(text, "simplified").join("\n");
    expect(graph).toMatch(/arg0\.x: +float32\[2\] += argument/);
    expect(graph).toMatch(/w: +float32\[2\] += variable/);
    expect(graph).toMatch(/assigns +w <- %\d/);
  });

  test("of a training step and of attention has aligned columns and no long gaps", () => {
    const w = variable(uniform([2, 1]));
    const step = compile((x: Tensor) => {
      const loss = sigmoid(x.matmul(w)).square().mean();
      const [g] = grad(loss, [w]);
      assignAll([[w, w.sub(g!)]]);
      return loss;
    });
    step(zeros([4, 2]));
    const attend = compile((q: Tensor, k: Tensor, v: Tensor) =>
      softmax(q.matmul(k.transpose(-1, -2)), -1).matmul(v),
    );
    attend(zeros([2, 16, 8]), zeros([2, 16, 8]), zeros([2, 16, 8]));
    for (const text of [explain(step), explain(attend)]) {
      const [first, ...rows] = section(text, "plan");
      const columns = [...first!.matchAll(/address|bytes/g)].map((match) => match.index + match[0].length);
      for (const row of rows) for (const end of columns) expect(row.slice(end - 1, end + 1)).toMatch(/^\d $/);
      expect(text).not.toMatch(/[ \t]$/m);
      expect(text).not.toContain("undefined");
    }
  });
});

describe("the explanation of calls that traced", () => {
  test("says which argument or setting changed, from what to what", () => {
    const twice = new Setting(false, "twice");
    const [a, b] = [variable(1, { name: "a" }), variable(2)];
    const f = compile((x: unknown, v: Tensor, mode: unknown) => {
      const inputs = (Array.isArray(x) ? x : [x]) as Tensor[];
      const sum = inputs.map((y) => y.sum()).reduce((p, q) => p.add(q), v.mul(mode === null ? 1 : 2));
      return twice.value ? sum.mul(2) : sum;
    });
    const [x, y] = [tensor([1, 2]), tensor([[3]])];
    f(x, a, "slow");
    f(x, a, "slow");
    f(y, a, "slow");
    f(tensor([1, 2], { dtype: "float64" }).cast("float64"), b, null);
    f([x, y], b, null);
    f([x, x], a, null);
    twice.value = true;
    f([x, x], a, null);
    expect(f.explain().split("\n").slice(0, 7)).toEqual([
      "compile: 7 calls, 6 traces, 4 programs held of at most 64, 2 forms evaluated without one",
      "  call 1  traced: the first call",
      "  call 3  traced again: argument 0 was float32[2], is float32[1, 1]",
      '  call 4  traced again: argument 0 was float32[1, 1], is float64[2]; argument 1 was a, is variable float32[]; argument 2 was "slow", is null',
      "  call 5  traced again: argument 0 was float64[2], is [float32[2], float32[1, 1]]",
      "  call 6  traced again: argument 0.1 was float32[1, 1], is float32[2]; argument 1 was variable float32[], is a",
      "  call 7  traced again: twice was false, is true",
    ]);
  });

  test("counts the programs that were dropped, of which 64 are held", () => {
    const f = compile((x: Tensor) => x.sum());
    for (let size = 1; size <= 70; size++) f(zeros([size]));
    f(zeros([70]));
    expect(f.explain()).toMatch(
      /^compile: 71 calls, 70 traces, 1 program held of at most 64, 63 forms evaluated without one, 6 dropped\n/,
    );
    f(zeros([7]));
    f(zeros([6]));
    const [title, ...calls] = f.explain().split("\n");
    expect(title).toContain(
      "71 traces, 2 programs held of at most 64, 62 forms evaluated without one, 7 dropped",
    );
    expect(calls[70]).toBe("  call 73  traced again: argument 0 was float32[7], is float32[6]");
  });

  test("counts arguments", () => {
    const f = compile((...xs: Tensor[]) => xs.map((x) => x.neg()));
    f(scalar(1));
    f(scalar(1), scalar(2));
    expect(f.explain()).toContain("call 2  traced again: 2 arguments instead of 1");
  });
});

test("there is none of functions that were not compiled, or not called", () => {
  expect(() => explain(() => scalar(1))).toThrow(ValueError);
  expect(() => explain(() => scalar(1))).toThrow(/takes a function that came out of compile/);
  const f = compile(() => scalar(1));
  expect(() => f.explain()).toThrow(CompileError);
  expect(() => f.explain()).toThrow(/nothing to explain before the first call/);
});
