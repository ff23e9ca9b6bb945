import { runBy } from "./compile/run.ts";
import { Crew } from "./crew.ts";
import { ValueError } from "./errors.ts";

let crew: Crew | null = null;

/**
 * Lets programs that are compiled from now on use so many threads, 1 for the main one alone. Kernels that are worth it are divided
 * by their results, so the bits are the same for any number of threads. Threads wait for work without computing; until they have
 * started, which in a browser is not before the page comes to rest, programs run on the main thread alone. Programs that were compiled for
 * another number of threads run on one. Throws ValueError unless `count` is a whole number from 1 to 64, StateError where there is no memory
 * that threads share: pages need to be cross-origin isolated for that.
 *
 * @example
 * ```ts
 * import { compile, getNumThreads, ones, setNumThreads } from "@cotangent/autograd";
 * setNumThreads(2);
 * getNumThreads(); // => 2
 * compile((x) => x.matmul(x))(ones([64, 64])).at(0, 0).item(); // => 64
 * setNumThreads(1);
 * ```
 */
export function setNumThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > mostThreads)
    throw new ValueError(
      `setNumThreads: the number of threads is a whole number from 1 to ${mostThreads}, got ${String(count)}`,
    );
  if (count === getNumThreads()) return;
  const next = count > 1 ? new Crew(count) : null;
  crew?.dismiss();
  crew = next;
  runBy(next);
}

/** How many threads programs use that are compiled now: 1 unless `setNumThreads` says another number. */
export function getNumThreads(): number {
  return crew?.size ?? 1;
}

const mostThreads = 64;
