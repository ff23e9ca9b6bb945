// Small data sets to try things on.

export type {
  BlobOptions,
  CheckerboardOptions,
  CircleOptions,
  LineOptions,
  SpiralOptions,
  Toy,
  ToyOptions,
} from "./toys.ts";
export { blobs, checkerboard, circles, linear, moons, sine, spirals, xor } from "./toys.ts";
