import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sourceBundle } from "../../scripts/source-bundle.mjs";

/** What a process of its own prints, with these flags of V8. */
async function outputOf(program: string, ...flags: string[]): Promise<string> {
  const { stdout, status } = spawnSync(process.execPath, [...flags, "-"], {
    input: await sourceBundle(
      `import { assignAll, compile, grad, tensor, variable } from "@cotangent/autograd"; ${program}`,
    ),
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(status).toBe(0);
  return stdout;
}

/**
 * Kilobytes that V8 moves, for each time that `body` runs, to where only a full collection looks: what is held by something old that is dead
 * itself, such as a module of WebAssembly or an entry of a WeakMap, gets there too.
 */
async function promotedBy(body: string): Promise<number> {
  const rounds = 800;
  const program = `
    const round = () => { ${body} };
    for (let i = 0; i < 100; i++) round();
    console.log("warm");
    for (let i = 0; i < ${rounds}; i++) round();`;
  const semiSpace = ["--min-semi-space-size=4", "--max-semi-space-size=4"];
  const stdout = await outputOf(program, "--trace-gc-nvp", ...semiSpace);
  const young = stdout
    .slice(stdout.indexOf("warm"))
    .split("\n")
    .filter((line) => / gc=s /.test(line));
  expect(young.length).toBeGreaterThan(5);
  const bytes = young.map((line) => Number(/ promoted=(\d+)/.exec(line)![1]));
  return bytes.reduce((sum, x) => sum + x, 0) / 1024 / rounds;
}

const training = `
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const y = tensor([[0], [1], [1], [0]]);
  const [w1, w2] = [variable([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]]), variable([[0.1], [0.2], [0.3]])];
  const step = compile(() => {
    const loss = x.matmul(w1).sigmoid().matmul(w2).sub(y).square().mean();
    const [g1, g2] = grad(loss, [w1, w2]);
    assignAll([[w1, w1.sub(g1)], [w2, w2.sub(g2)]]);
    return loss;
  });
  step().item();`;

describe("what is dropped dies young", () => {
  test("programs of training steps", async () => {
    expect(await promotedBy(training)).toBeLessThan(4);
  });

  test("programs that know the line where an index was used", async () => {
    const indexing = `
      const table = variable([[1, 2], [3, 4], [5, 6]]);
      const f = compile((index) => table.indexSelect(0, index).square().sum(0));
      f(tensor([2, 0], { dtype: "int32" }));`;
    expect(await promotedBy(indexing)).toBeLessThan(4);
  });
});

test("a program keeps its trace, and not what the compiler made on the way", async () => {
  const program = `
    const make = () => { ${training} return step; };
    const alive = () => { gc(); return process.memoryUsage().heapUsed; };
    for (let i = 0; i < 20; i++) make();
    const before = alive();
    const kept = Array.from({ length: 200 }, make);
    console.log((alive() - before) / 1024 / kept.length);`;
  expect(Number(await outputOf(program, "--expose-gc"))).toBeLessThan(30);
});
