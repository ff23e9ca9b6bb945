// Runs in the page: the carts, and a frame after another of learning or of watching.
import { Curve, drawCurve, paletteOf } from "../page/canvas.ts";
import { begin, usual } from "./agent.ts";
import { drawCarts } from "./carts.ts";

const place = document.getElementById("carts")!;
const button = (name: string) => place.querySelector<HTMLButtonElement>(`[name="${name}"]`)!;
const pace = place.querySelector("select")!;
const [picture, chart] = [...place.querySelectorAll("canvas")] as const;
const status = place.querySelector("output")!;

/** Milliseconds that the updates of a frame may take. */
const budget = 12;

type Mode = "learn" | "watch";
let mode: Mode | null = null;
let seed = 0;
let agent = begin();
let updates = 0;
let ages = new Curve();
let told = "";
let palette = paletteOf(document.documentElement);

function show(): void {
  drawCarts(picture!, agent.states(), palette);
  drawCurve(chart!, ages.points, [1, 1000], palette);
  status.value = told;
}

function learn(): void {
  const most = Number(pace.value);
  const start = performance.now();
  let report = agent.learn();
  let count = 1;
  while (count < most && performance.now() - start < budget) {
    report = agent.learn();
    count++;
  }
  updates += count;
  ages.add(updates, report.age);
  const time = (performance.now() - start) / count;
  told = `${updates.toLocaleString("en")} updates of ${time.toFixed(1)} ms; the poles have stood for ${Math.round(report.age).toLocaleString("en")} moments on average`;
}

function advance(): void {
  if (mode === "learn") learn();
  else if (mode === "watch") agent.watch();
  else return;
  show();
  requestAnimationFrame(advance);
}

function setMode(now: Mode | null): void {
  const stood = mode === null;
  mode = now;
  button("learn").textContent = mode === "learn" ? "Pause" : "Learn";
  button("watch").textContent = mode === "watch" ? "Pause" : "Watch";
  if (stood && mode !== null) requestAnimationFrame(advance);
}

for (const own of ["learn", "watch"] as const)
  button(own).addEventListener("click", () => setMode(mode === own ? null : own));
button("anew").addEventListener("click", () => {
  seed++;
  agent = begin({ ...usual, seed });
  [updates, ages, told] = [0, new Curve(), "nothing learned yet"];
  show();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  palette = paletteOf(document.documentElement);
  show();
});
told = "nothing learned yet";
show();
