// Runs in the page: the controls, and a frame of training after another.
import { drawLosses, drawPlane, type Loss, paletteOf } from "./canvas.ts";
import { begin, type Settings } from "./network.ts";

const place = document.getElementById("playground")!;
const control = <T extends HTMLElement>(name: string): T => place.querySelector<T>(`[name="${name}"]`)!;
const select = (name: string) => control<HTMLSelectElement>(name);
const number = (name: string) => Number(select(name).value);
const [plane, chart] = [...place.querySelectorAll("canvas")] as const;
const status = place.querySelector("output")!;
const run = control<HTMLButtonElement>("run");

/** At most so many losses are kept: more are not seen. */
const mostLosses = 400;
/** Milliseconds that the steps of a frame may take, and how many places of the plane the network is asked about. */
const budget = 12;
const resolution = 64;

let seed = 0;
let training = begin(settings());
let steps = 0;
let losses: Loss[] = [];
let every = 1;
let palette = paletteOf(document.documentElement);
let frame: number | null = null;
let pace = { steps: 0, since: 0 };

function settings(): Settings {
  return {
    task: select("task").value,
    activation: select("activation").value,
    optimizer: select("optimizer").value,
    layers: number("layers"),
    neurons: number("neurons"),
    rate: number("rate"),
    seed,
  };
}

function startAnew(): void {
  training = begin(settings());
  [steps, losses, every] = [0, [], 1];
  show();
}

/** Keeps the loss of about every so many steps. */
function keep(loss: number): void {
  if (losses.length > 0 && steps - losses.at(-1)!.step < every) return;
  losses.push({ step: steps, loss });
  if (losses.length < mostLosses) return;
  losses = losses.filter((_, i) => i % 2 === 0);
  every = (2 * steps) / mostLosses;
}

function show(): void {
  drawPlane(plane!, training.field(resolution), training.lines(), training.points, palette);
  drawLosses(chart!, losses, palette);
  const { loss, right } = training.result();
  const speed = 1000 * (pace.steps / (performance.now() - pace.since));
  const fast =
    frame !== null && pace.steps > 0 ? `, ${Math.round(speed).toLocaleString("en")} steps a second` : "";
  status.value = `${steps.toLocaleString("en")} steps, loss ${loss.toPrecision(3)}, ${right} of ${training.points.length} right${fast}`;
}

function advance(): void {
  const most = number("pace");
  const start = performance.now();
  let count = 0;
  do {
    const portion = Math.min(20, most - count);
    keep(training.step(portion));
    steps += portion;
    count += portion;
  } while (count < most && performance.now() - start < budget);
  pace.steps += count;
  frame = requestAnimationFrame(advance);
  show();
}

function setRunning(running: boolean): void {
  if (frame !== null) cancelAnimationFrame(frame);
  frame = null;
  run.textContent = running ? "Pause" : "Train";
  pace = { steps: 0, since: performance.now() };
  if (running) frame = requestAnimationFrame(advance);
  else show();
}

run.addEventListener("click", () => setRunning(frame === null));
control("step").addEventListener("click", () => {
  setRunning(false);
  keep(training.step(1));
  steps++;
  show();
});
control("anew").addEventListener("click", () => {
  seed++;
  startAnew();
});
place.addEventListener("change", ({ target }) => {
  const { name } = target as HTMLSelectElement;
  pace = { steps: 0, since: performance.now() };
  if (name === "rate") training.setRate(number("rate"));
  else if (name !== "pace") startAnew();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  palette = paletteOf(document.documentElement);
  show();
});
show();
