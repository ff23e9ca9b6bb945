import { type Palette, pixelOf } from "../page/canvas.ts";
import { across, type Field, type Labelled, type Line } from "../page/plane.ts";

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
