// Runs in the page: the controls, and a frame of training after another.
import { Curve, drawCurve, paletteOf } from "../page/canvas.ts";
import { begin, type Settings } from "./network.ts";
import { drawPlane } from "./plane.ts";

const place = document.getElementById("playground")!;
const control = <T extends HTMLElement>(name: string): T => place.querySelector<T>(`[name="${name}"]`)!;
const select = (name: string) => control<HTMLSelectElement>(name);
const number = (name: string) => Number(select(name).value);
const [plane, chart] = [...place.querySelectorAll("canvas")] as const;
const status = place.querySelector("output")!;
const run = control<HTMLButtonElement>("run");

/** Milliseconds that the steps of a frame may take, and how many places of the plane the network is asked about. */
const budget = 12;
const resolution = 64;

let seed = 0;
let training = begin(settings());
let steps = 0;
let losses = new Curve();
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
  [steps, losses] = [0, new Curve()];
  show();
}

function show(): void {
  drawPlane(plane!, training.field(resolution), training.lines(), training.points, palette);
  drawCurve(chart!, losses.points, [0.1, 1], palette);
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
    losses.add(steps, training.step(portion));
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
  losses.add(steps, training.step(1));
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
