import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { backpropagation } from "../../examples/backpropagation.ts";
import { deeper } from "../../examples/deeper.ts";
import { descent } from "../../examples/descent.ts";
import { forward } from "../../examples/forward.ts";
import { kernel } from "../../examples/kernel.ts";
import { perceptron } from "../../examples/perceptron.ts";
import { pytorchSolved } from "../../examples/xor/page.ts";
import { xor } from "../../examples/xor.ts";
import { captureConsole } from "../console.ts";

describe("the XOR example", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cotangent-"));
    return () => rm(folder, { recursive: true });
  });

  async function run(steps: number) {
    const lines = captureConsole();
    const progress: string[] = [];
    const output = { write: (text: string) => progress.push(text) };
    const learned = await xor({ folder, steps, seeds: 2, output });
    const page = await readFile(join(folder, "index.html"), "utf8");
    // What stands in the page itself, without the library in its last chapter.
    const text = page.replace(/<script type="module">.*?<\/script>/s, "");
    return { learned, lines, progress, page, text };
  }

  test("learns, and says so in its last line", async () => {
    const { learned, lines, progress } = await run(200);
    expect(learned).toBe(true);
    expect(lines.at(-1)).toMatch(/^XOR solved: 4\/4 correct, loss 0\.\d+, report out\/xor\/index\.html$/);
    expect(progress.join("")).toContain("10 neurons epoch 200/200");
  });

  test("says that it did not learn when it had no time to", async () => {
    const { learned, lines } = await run(2);
    expect(learned).toBe(false);
    expect(lines.at(-1)).toMatch(/^XOR not solved: [0-3]\/4 correct/);
  });

  test("writes a page with all its sections, full pictures and no other files", async () => {
    const { text: page } = await run(20);
    const before = "problem perceptron logistic kernel activations forward descent backpropagation";
    const own = "training boundaries starts graph check";
    const after = "deeper optimizers vanishing dying recurrent playground";
    for (const section of `${before} ${own} ${after}`.split(" ")) {
      expect(page).toContain(`<section id="${section}">`);
      expect(page).toContain(`<a href="#${section}">`);
    }
    const pictures = page.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(pictures).toHaveLength(37);
    for (const picture of pictures) {
      expect(picture).toMatch(/<(?:path|circle|polygon) /);
      expect(picture).toMatch(/aria-label="[^"]+"/);
      expect(picture).not.toMatch(/(?:fill|stroke)="(?:black|white)"/);
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity|<script|<link|src=|href="[^#]/);
  });

  test("quotes the numbers that were taken from PyTorch", async () => {
    const golden = JSON.parse(await readFile(new URL("../golden/xor.json", import.meta.url), "utf8"));
    expect(pytorchSolved).toEqual(golden.solved);
    expect(golden.seeds).toBe(20);
  });

  test("writes the same page at each run", async () => {
    expect((await run(20)).page).toBe((await run(20)).page);
  });
});

describe("the chapters", () => {
  test("AND and OR are learned by the perceptron's rule, XOR is not, and no derivative moves it", async () => {
    const lines = captureConsole();
    await perceptron({ effort: 0.2 });
    expect(lines).toEqual([
      "AND  learned in 6 rounds",
      "OR   learned in 4 rounds",
      "XOR  2 of 4 right after 20 rounds",
      "the largest derivative of 40 random perceptrons: 0",
    ]);
  });

  test("a kernel machine solves XOR", async () => {
    const lines = captureConsole();
    await kernel({ effort: 0.2 });
    expect(lines[0]).toContain("four points, gamma 2: 100 % right");
  });

  test("what is worked out by hand is what the graph says", async () => {
    const lines = captureConsole();
    await forward();
    const differences = [lines.at(-1)];
    await backpropagation();
    differences.push(lines.at(-1));
    for (const line of differences)
      expect(Number(/largest difference (\S+)$/.exec(line!)?.[1])).toBeLessThan(1e-15);
  });

  test("networks that are compared have the same number of parameters", async () => {
    const lines = captureConsole();
    await deeper({ effort: 0.002 });
    const counts = lines.map((line) => Number(/ (\d+) parameters/.exec(line)?.[1]));
    expect(counts).toEqual([21, 21, 37, 37, 37, 177, 177, 177]);
  });

  test("descent arrives with the right learning rate only", async () => {
    const lines = captureConsole();
    await descent();
    const ends = lines.slice(1, 4).map((line) => Number(/w = (\S+)$/.exec(line)?.[1]));
    expect(ends.map((end) => Math.abs(end - 1) < 1e-3)).toEqual([false, true, false]);
    expect(Math.abs(ends[2]! - 1)).toBeGreaterThan(2);
  });
});
