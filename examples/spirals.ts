// A network that PyTorch has trained and saved, at work here, and saved for PyTorch again: `pnpm example spirals`.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linspace, meshgrid, sigmoid, stack, type Tensor, tanh } from "@cotangent/autograd";
import { MLP } from "@cotangent/nn";
import { readSafetensors, writeSafetensors } from "@cotangent/nn/files";
import { type Chapter, runAlone } from "./page/chapter.ts";
import { code, figure, paragraph, power, section } from "./page/html.ts";
import { examplesFolder, outFolder } from "./page/places.ts";
import { type Labelled, sampled } from "./page/plane.ts";
import { boundaryPlot } from "./page/plots.ts";

/** Written by `datasets/spirals.py`: the file, and what PyTorch answers to the questions below. */
const file = (name: string) => new URL(`datasets/${name}`, examplesFolder);

/** The points [81, 2] of a grid from -2 to 2, row by row. */
function questions(): Tensor {
  const [y, x] = meshgrid([linspace(-2, 2, 9), linspace(-2, 2, 9)]) as [Tensor, Tensor];
  return stack([x, y], 2).reshape([81, 2]);
}

/** Every third of the points that it was trained on: two spirals of one turn. */
function spirals(): Labelled[] {
  return Array.from({ length: 68 }, (_, i) => {
    const turn = (0.3 + (0.7 * (i % 34)) / 33) * 2 * Math.PI;
    const sign = i < 34 ? 1 : -1;
    const [x, y] = [(sign * turn * Math.cos(turn)) / 3.5, (sign * turn * Math.sin(turn)) / 3.5];
    return { x, y, label: i < 34 ? 0 : 1 };
  });
}

export async function spiralsFromPyTorch({
  folder = fileURLToPath(new URL("spirals", outFolder)),
}: {
  readonly folder?: string;
} = {}): Promise<Chapter> {
  const { tensors } = readSafetensors(await readFile(file("spirals.safetensors")));
  const model = new MLP([2, 16, 16, 1], { activation: tanh });
  model.loadStateDict(tensors);
  const expected: { pytorch: string; answers: number[] } = JSON.parse(
    await readFile(file("spirals.json"), "utf8"),
  );
  const answers = model.forward(questions()).toTypedArray();
  const largest = Math.max(...expected.answers.map(Math.abs));
  const difference = Math.max(...answers.map((answer, i) => Math.abs(answer - expected.answers[i]!)));
  console.log(
    `spirals: ${answers.length} answers differ from PyTorch's by at most ${difference.toExponential(1)}, the largest being ${largest.toFixed(1)}`,
  );
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(model.stateDict()));
  const html = section(
    "spirals",
    "Trained in PyTorch, at work here",
    paragraph(
      `PyTorch ${expected.pytorch} trained a network to tell two spirals apart and saved it as a safetensors file. The names in the file are those of this model in snake_case, the layouts are the same, so loading it is one call. On ${answers.length} points the answers differ by at most ${power(difference)}, where the largest is ${largest.toFixed(1)}: float32 has no more digits.`,
    ),
    code(
      'const model = new MLP([2, 16, 16, 1], { activation: tanh });\nconst { tensors } = readSafetensors(await readFile("spirals.safetensors"));\nmodel.loadStateDict(tensors);',
    ),
    figure(
      "What the network says on the plane, and a third of the points it was trained on.",
      [
        boundaryPlot(
          sampled((x) => sigmoid(model.forward(x)), 96, -2, 2),
          spirals(),
          [],
          "The two spirals and where the network changes its mind",
          3,
        ),
      ],
      "small",
    ),
    paragraph(
      "The other way works as well: out/spirals/model.safetensors was written by this run, and PyTorch reads it (examples/datasets/spirals.py --check).",
    ),
  );
  return { id: "spirals", title: "Trained in PyTorch, at work here", html };
}

await runAlone(import.meta.url, () => spiralsFromPyTorch(), "A safetensors file of PyTorch, with Cotangent.");
