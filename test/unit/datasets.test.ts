/** The examples with data, on a few invented examples and with few steps: none fetches anything. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uniform } from "@cotangent/autograd";
import { readSafetensors } from "@cotangent/nn/files";
import { expect, test } from "vitest";
import { cars } from "../../examples/cars.ts";
import { cartpole } from "../../examples/cartpole.ts";
import type { Car } from "../../examples/datasets/cars.ts";
import type { Digits } from "../../examples/datasets/digits.ts";
import { type Flower, kinds } from "../../examples/datasets/flowers.ts";
import { iris } from "../../examples/iris.ts";
import { mnist } from "../../examples/mnist.ts";
import { names } from "../../examples/names.ts";
import { oscillator } from "../../examples/oscillator.ts";
import type { Chapter } from "../../examples/page/chapter.ts";
import { prose } from "../../examples/prose.ts";
import { spiralsFromPyTorch } from "../../examples/spirals.ts";
import { captureConsole } from "../console.ts";
import { mulberry32 } from "../mulberry.ts";

const output = { write: () => {} };

/** A section without holes. */
function expectWhole(chapter: Chapter, pictures: number): void {
  const html = chapter.html.replace(/<script.*?<\/script>/s, "");
  const drawn = html.match(/<svg.*?<\/svg>/gs) ?? [];
  expect(drawn).toHaveLength(pictures);
  for (const picture of drawn) expect(picture).toMatch(/aria-label="[^"]+"/);
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
}

test("irises that differ in one size are told apart", async () => {
  const lines = captureConsole();
  const random = mulberry32(1);
  const given = Array.from({ length: 150 }, (_, i): Flower => {
    const kind = i % 3;
    return { sizes: [random(), 2 * kind + 0.2 * random(), random(), random()], kind: kinds[kind]! };
  });
  expectWhole(await iris({ effort: 0.6, output }, given), 2);
  expect(Number(/iris: (\d+) of 30/.exec(lines[0]!)?.[1])).toBeGreaterThan(27);
});

test("the mileage of cars that depends on their weight is learned", async () => {
  const lines = captureConsole();
  const random = mulberry32(2);
  const given = Array.from({ length: 60 }, (_, i): Car => {
    const weight = 2000 + 2000 * random();
    const same = { cylinders: 4, displacement: 100, horsepower: 90, acceleration: 15, year: 1975 };
    return { ...same, name: `car ${i}`, mileage: 60 - weight / 100, weight, origin: "USA" };
  });
  expectWhole(await cars({ effort: 0.5, output }, given), 2);
  expect(Number(/R2 (\S+)$/.exec(lines[0]!)?.[1])).toBeGreaterThan(0.9);
});

test("poles stand longer from update to update", async () => {
  const lines = captureConsole();
  expectWhole(await cartpole({ effort: 0.2 }), 2);
  expect(Number(/stood for (\d+) moments/.exec(lines[0]!)?.[1])).toBeGreaterThan(60);
});

test("the network comes nearer to obeying its equation", async () => {
  const lines = captureConsole();
  expectWhole(await oscillator({ effort: 0.02 }), 2);
  const [, before, after] = /residual (\S+) -> (\S+),/.exec(lines[0]!)!;
  expect(Number(after)).toBeLessThan(0.2 * Number(before));
});

test("a network of PyTorch gives PyTorch's answers", async () => {
  const lines = captureConsole();
  const folder = await mkdtemp(join(tmpdir(), "cotangent-"));
  try {
    expectWhole(await spiralsFromPyTorch({ folder }), 1);
    const saved = readSafetensors(await readFile(join(folder, "model.safetensors"))).tensors;
    expect(Object.keys(saved)).toContain("0.weight");
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(Number(/at most (\S+),/.exec(lines[0]!)?.[1])).toBeLessThan(1e-5);
});

test("a small GPT learns a few names by heart", async () => {
  const lines = captureConsole();
  const known = Array.from({ length: 64 }, (_, i) => ["anna", "otto", "hannah", "bob"][i % 4]!);
  expectWhole(await names({ effort: 2, output }, known), 1);
  expect(Number(/loss (\S+) /.exec(lines.at(-1)!)?.[1])).toBeLessThan(2);
});

test("a small LSTM learns a sentence by heart and writes it", async () => {
  const lines = captureConsole();
  expectWhole(await prose({ effort: 1.2, output }, "The sea & the sky.\n".repeat(200)), 1);
  const told = lines.find((line) => line.startsWith("prose: "));
  expect(Number(/not seen (\S+) /.exec(told!)?.[1])).toBeLessThan(0.5);
  expect(lines.find((line) => line.startsWith("at temperature 0.4"))).toContain("The sea & the sky.\n");
});

test("the network for digits takes pictures and says which it misread", async () => {
  const lines = captureConsole();
  const some = (count: number): Digits => ({
    images: uniform([count, 1, 28, 28]),
    labels: uniform([count]).mul(10).cast("int32"),
  });
  expectWhole(await mnist({ effort: 0.1, output }, { train: some(64), test: some(20) }), 9);
  expect(lines.at(-1)).toMatch(/^mnist: \d+ of 20 digits of the test are right$/);
});
