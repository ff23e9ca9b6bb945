import { evaluate } from "../evaluate.ts";
import type { Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";

/** The tensor as TypeScript: `tensor([[1, 2]], { dtype: "float64" })`. */
export function tensorText(x: Tensor): string {
  const options = x.dtype === "float32" ? "" : `, { dtype: "${x.dtype}" }`;
  return `tensor(${nested(evaluate([x])[0]!, x.shape, 0)[0]}${options})`;
}

function nested(data: ArrayLike<number>, shape: Shape, from: number): [text: string, to: number] {
  const [size, ...rest] = shape;
  if (size === undefined) return [Object.is(data[from], -0) ? "-0" : String(data[from]), from + 1];
  const parts: string[] = [];
  let next = from;
  for (let i = 0; i < size; i++) {
    const [text, to] = nested(data, rest, next);
    parts.push(text);
    next = to;
  }
  return [`[${parts.join(", ")}]`, next];
}
