import { power } from "./powers.ts";

/** Pictures on a canvas that change with each frame, in the colours of the page. */

/** The colours of the page's style as they are now: it has a light and a dark one. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly faint: string;
  readonly rule: string;
  readonly classes: readonly [string, string];
  /** Red, green and blue of each of the ten bands. */
  readonly bands: readonly Uint8ClampedArray[];
}

export function paletteOf(root: Element): Palette {
  const style = getComputedStyle(root);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    paper: of("paper"),
    ink: of("ink"),
    faint: of("faint"),
    rule: of("rule"),
    classes: [of("class-0"), of("class-1")],
    bands: Array.from({ length: 10 }, (_, i) => pixelOf(of(`band-${i}`))),
  };
}

/** What a colour of CSS is as a pixel. */
export function pixelOf(colour: string): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d")!;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

/** A value and the step that it belongs to. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

/** Values against steps, on a logarithmic scale that has at least this range. */
export function drawCurve(
  canvas: HTMLCanvasElement,
  points: readonly Point[],
  [least, most]: readonly [least: number, most: number],
  palette: Palette,
): void {
  const context = canvas.getContext("2d")!;
  const { width, height } = canvas;
  const size = width / 26;
  const [left, right, top, bottom] = [3.6 * size, width - size, size, height - 2.2 * size];
  const seen = points.filter(({ value }) => value > 0 && Number.isFinite(value));
  const values = seen.map(({ value }) => value);
  const highest = Math.ceil(Math.log10(Math.max(most, ...values)));
  const lowest = Math.floor(Math.log10(Math.min(least, ...values)));
  const last = Math.max(100, points.at(-1)?.step ?? 0);
  const down = (value: number) => top + ((highest - Math.log10(value)) / (highest - lowest)) * (bottom - top);
  const across = (step: number) => left + (step / last) * (right - left);

  context.clearRect(0, 0, width, height);
  context.font = `${size}px system-ui, sans-serif`;
  context.fillStyle = palette.faint;
  context.strokeStyle = palette.rule;
  context.lineWidth = width / 400;
  const every = Math.ceil((highest - lowest) / 6);
  for (let exponent = lowest; exponent <= highest; exponent += every) {
    const y = down(10 ** exponent);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.textAlign = "right";
    const text = exponent < -3 ? power(10 ** exponent) : (10 ** exponent).toLocaleString("en");
    context.fillText(text, left - size / 2, y + size / 3);
  }
  context.textAlign = "left";
  context.fillText("step 0", left, height - size / 2);
  context.textAlign = "right";
  context.fillText(last.toLocaleString("en"), right, height - size / 2);

  context.strokeStyle = palette.ink;
  context.lineWidth = width / 200;
  context.lineJoin = "round";
  context.beginPath();
  for (const { step, value } of seen) context.lineTo(across(step), down(value));
  context.stroke();
}

/** At most so many points are kept of a curve: more are not seen. */
const mostPoints = 400;

/** A curve that grows, of which about every so many steps are kept. */
export class Curve {
  points: readonly Point[] = [];
  #every = 1;

  add(step: number, value: number): void {
    if (this.points.length > 0 && step - this.points.at(-1)!.step < this.#every) return;
    this.points = [...this.points, { step, value }];
    if (this.points.length < mostPoints) return;
    this.points = this.points.filter((_, i) => i % 2 === 0);
    this.#every = (2 * step) / mostPoints;
  }
}
