// Progress on a terminal, checkpoints in files.

export { checkpointFile, writeFileAtomically } from "./checkpoint.ts";
export { interruptible } from "./interrupt.ts";
export type { Output, ProgressOptions } from "./progress.ts";
export { progress } from "./progress.ts";
