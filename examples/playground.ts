// A network that trains in the page that it is shown in: `pnpm example playground`.
import { type Chapter, runAlone } from "./page/chapter.ts";
import { paragraph, section } from "./page/html.ts";
import { script } from "./page/script.ts";
import { activations, optimizers, tasks } from "./playground/network.ts";

/** A choice among texts, or among values that have texts. */
function choice(
  label: string,
  name: string,
  chosen: string | number,
  options: readonly (string | number)[] | Readonly<Record<string, string>>,
): string {
  const entries = Array.isArray(options) ? options.map((value) => [value, value]) : Object.entries(options);
  const texts = entries.map(
    ([value, text]) => `<option value="${value}"${value === chosen ? " selected" : ""}>${text}</option>`,
  );
  return `<label>${label} <select name="${name}">${texts.join("")}</select></label>`;
}

const paces = {
  1: "1 step a frame",
  20: "20 steps a frame",
  500: "500 steps a frame",
  1000000: "as fast as it can",
};

const controls = [
  choice("Task", "task", "XOR, four points", Object.keys(tasks)),
  choice("Hidden layers", "layers", 1, [0, 1, 2, 3]),
  choice("Neurons", "neurons", 3, [1, 2, 3, 4, 6, 8, 12, 16]),
  choice("Activation", "activation", "tanh", Object.keys(activations)),
  choice("Optimizer", "optimizer", "gradient descent", Object.keys(optimizers)),
  choice("Learning rate", "rate", 0.3, [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]),
].join("\n");

const buttons = [
  '<button type="button" name="run">Train</button>',
  '<button type="button" name="step">One step</button>',
  '<button type="button" name="anew">Start anew</button>',
  choice("Pace", "pace", "20", paces),
].join("\n");

const canvas = (label: string) =>
  `<canvas width="512" height="512" role="img" aria-label="${label}"></canvas>`;

const things = [
  "XOR with one neuron, with two, with three. Start anew a few times: which starts get stuck?",
  "Two neurons that got stuck: does momentum get there from the same start, or Adam?",
  "A learning rate of 10 on the four points. Then 0.001.",
  "ReLU with a large rate on the clouds: count the dashed lines that no longer move.",
  "The step: what can the network still learn, and which of its layers does the learning?",
  "The spirals with one hidden layer of 16, then with two of 8.",
  "No hidden layer: the logistic regression from above.",
];

/** The story's last chapter: no numbers of this run, but a network in the reader's hands. */
export async function playground(): Promise<Chapter> {
  const html = section(
    "playground",
    "Your turn",
    paragraph(
      "Everything above was computed before you opened this page. Here nothing is: the library stands in the page, and the network trains while you look. A step, forward, backward and update, is one WebAssembly program that your browser has just made.",
    ),
    `<div id="playground" class="playground">
<div class="controls">
${controls}
</div>
<div class="controls">
${buttons}
</div>
<div class="pictures">
${canvas("What the network says of the plane, with the points that it learns from")}
${canvas("The loss against the step, on a logarithmic scale")}
</div>
<output></output>
</div>
<noscript><p>It needs a script, which is not allowed here.</p></noscript>`,
    paragraph("Things to try:"),
    `<ul>\n${things.map((thing) => `<li>${thing}</li>`).join("\n")}\n</ul>`,
    await script(new URL("playground/page", import.meta.url)),
  );
  return { id: "playground", title: "Your turn", html };
}

await runAlone(import.meta.url, playground);
