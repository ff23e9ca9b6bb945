// Files of tensors: bytes to tensors and back.

export type { StateDict } from "../state.ts";
export type { FileBytes } from "./contents.ts";
export { readNpy, writeNpy } from "./npy.ts";
export type { NpzOptions } from "./npz.ts";
export { readNpz, writeNpz } from "./npz.ts";
export type { Safetensors } from "./safetensors.ts";
export { readSafetensors, writeSafetensors } from "./safetensors.ts";
