import type { Palette } from "../page/canvas.ts";
import { farthest, steepest } from "./world.ts";

/** How many carts stand beside and below each other. */
const [columns, rows] = [3, 6];

/** The first carts on their rails, the poles in the colour of danger when they lean too far. */
export function drawCarts(canvas: HTMLCanvasElement, states: ArrayLike<number>, palette: Palette): void {
  const context = canvas.getContext("2d")!;
  const [width, height] = [canvas.width / columns, canvas.height / rows];
  const unit = width / (2.3 * farthest);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.lineCap = "round";
  for (let i = 0; i < columns * rows && 4 * i < states.length; i++) {
    const middle = ((i % columns) + 0.5) * width;
    const rail = (Math.floor(i / columns) + 0.85) * height;
    const [place, angle] = [states[4 * i]!, states[4 * i + 2]!];
    const line = (x1: number, y1: number, x2: number, y2: number, colour: string, thick: number) => {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
    };
    line(middle - farthest * unit, rail, middle + farthest * unit, rail, palette.rule, 2);
    const [x, y] = [middle + place * unit, rail - 0.12 * height];
    context.fillStyle = palette.faint;
    context.fillRect(x - 0.3 * unit, y, 0.6 * unit, 0.12 * height);
    const pole = 0.62 * height;
    const colour = palette.classes[Math.abs(angle) > steepest / 2 ? 1 : 0];
    line(x, y, x + pole * Math.sin(angle), y - pole * Math.cos(angle), colour, width / 40);
  }
}
