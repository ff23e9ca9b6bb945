/** Work that can be left for a while: it yields wherever that is allowed, and returns its result. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How many nodes, kernels or nests a pass goes through before it yields: leaving and resuming takes as long as some of them. */
export const stride = 16;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
