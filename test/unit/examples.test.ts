import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
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
    return { learned, lines, progress, page: await readFile(join(folder, "index.html"), "utf8") };
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
    const { page } = await run(20);
    const before = "problem perceptron logistic kernel activations forward descent backpropagation";
    const own = "training boundaries starts graph check";
    const after = "deeper optimizers vanishing dying recurrent";
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
