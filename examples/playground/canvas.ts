import { across, type Field, type Labelled, type Line } from "../page/plane.ts";

/** Pictures on a canvas that change with each frame, in the colours and bands of the page's other pictures. */

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
function pixelOf(colour: string): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d")!;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

/** What the network says of the plane, the line of each neuron of its first layer, and the points. */
export function drawPlane(
  canvas: HTMLCanvasElement,
  field: Field,
  lines: readonly Line[],
  points: readonly Labelled[],
  palette: Palette,
): void {
  const context = canvas.getContext("2d")!;
  const { width } = canvas;
  const { low, high } = field;
  context.putImageData(new ImageData(shade(field, width, palette), width), 0, 0);
  const place = (x: number, y: number): [number, number] => [
    ((x - low) / (high - low)) * width,
    ((high - y) / (high - low)) * width,
  ];
  context.strokeStyle = palette.ink;
  context.globalAlpha = 0.55;
  context.lineWidth = width / 220;
  context.setLineDash([width / 70, width / 70]);
  for (const line of lines) {
    const [from, to] = across(line, low, high);
    if (!from || !to) continue;
    context.beginPath();
    context.moveTo(...place(from.x, from.y));
    context.lineTo(...place(to.x, to.y));
    context.stroke();
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
  const radius = width / (points.length > 4 ? 80 : 40);
  context.strokeStyle = palette.paper;
  for (const { x, y, label } of points) {
    const [across, down] = place(x, y);
    context.fillStyle = palette.classes[label];
    context.beginPath();
    // A disc and a square of equal area.
    const half = 0.886 * radius;
    if (label === 1) context.rect(across - half, down - half, 2 * half, 2 * half);
    else context.arc(across, down, radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/** Pixels of the line where the answer changes. */
const thickness = 3;

/** The pixels of a field in bands, with the line where it is one half. */
function shade(field: Field, width: number, { bands, ink }: Palette): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * width * width);
  const line = pixelOf(ink);
  const columns = Array.from({ length: width }, (_, i) => between(i, width, field.size));
  const sides: boolean[][] = [];
  for (let row = 0; row < width; row++) {
    const [low, high, part] = between(width - 1 - row, width, field.size);
    const [first, second] = [low * field.size, high * field.size];
    const now: boolean[] = [];
    sides.push(now);
    for (let column = 0; column < width; column++) {
      const [left, right, share] = columns[column]!;
      const at = (start: number) =>
        field.values[start + left]! * (1 - share) + field.values[start + right]! * share;
      const value = at(first) * (1 - part) + at(second) * part;
      now.push(value > 0.5);
      const before = [now[column - thickness], sides[row - thickness]?.[column]];
      const turns = before.some((side) => side !== undefined && side !== now[column]);
      const band = Math.min(9, Math.max(0, Math.floor(10 * value))) || 0;
      pixels.set(turns ? line : bands[band]!, 4 * (row * width + column));
    }
  }
  return pixels;
}

/** The two of `count` samples around pixel `i` of `width`, and how far it is from the first towards the second. */
function between(i: number, width: number, count: number): readonly [number, number, number] {
  const at = Math.min(count - 1, Math.max(0, ((i + 0.5) / width) * count - 0.5));
  const first = Math.floor(at);
  return [first, Math.min(count - 1, first + 1), at - first];
}

/** A loss and the step that it was before. */
export interface Loss {
  readonly step: number;
  readonly loss: number;
}

/** Losses against steps, on a logarithmic scale. */
export function drawLosses(canvas: HTMLCanvasElement, losses: readonly Loss[], palette: Palette): void {
  const context = canvas.getContext("2d")!;
  const { width, height } = canvas;
  const size = width / 26;
  const [left, right, top, bottom] = [3.6 * size, width - size, size, height - 2.2 * size];
  const seen = losses.map(({ loss }) => loss).filter((loss) => loss > 0 && Number.isFinite(loss));
  const highest = Math.ceil(Math.log10(Math.max(1, ...seen)));
  const lowest = Math.floor(Math.log10(Math.min(0.1, ...seen)));
  const last = Math.max(100, losses.at(-1)?.step ?? 0);
  const down = (loss: number) => top + ((highest - Math.log10(loss)) / (highest - lowest)) * (bottom - top);
  const across = (step: number) => left + (step / last) * (right - left);

  context.clearRect(0, 0, width, height);
  context.font = `${size}px system-ui, sans-serif`;
  context.fillStyle = palette.faint;
  context.strokeStyle = palette.rule;
  context.lineWidth = width / 400;
  const every = Math.ceil((highest - lowest) / 6);
  for (let power = lowest; power <= highest; power += every) {
    const y = down(10 ** power);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.textAlign = "right";
    context.fillText(
      power < -3 ? `1e${power}`.replace("-", "−") : String(10 ** power),
      left - size / 2,
      y + size / 3,
    );
  }
  context.textAlign = "left";
  context.fillText("step 0", left, height - size / 2);
  context.textAlign = "right";
  context.fillText(last.toLocaleString("en"), right, height - size / 2);

  context.strokeStyle = palette.ink;
  context.lineWidth = width / 200;
  context.lineJoin = "round";
  context.beginPath();
  for (const { step, loss } of losses)
    if (loss > 0 && Number.isFinite(loss)) context.lineTo(across(step), down(loss));
  context.stroke();
}
