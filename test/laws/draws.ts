import { Draw, type DType } from "@cotangent/autograd";
import { mulberry32 } from "../mulberry.ts";

/** Draws the samples of the function `name`: the same ones each time. */
export function drawFor(name: string, dtype: DType): Draw {
  const random = mulberry32(name.length * 7919 + name.charCodeAt(0));
  const real = (low: number, high: number) => low + (high - low) * random();
  const integer = (low: number, high: number) => Math.floor(real(low, high + 1));
  return new Draw({ integer, real }, dtype);
}
