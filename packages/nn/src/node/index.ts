// Progress on a terminal.

export type { Output, ProgressOptions } from "./progress.ts";
export { progress } from "./progress.ts";
