import { callerLine, captureStack } from "./errors.ts";
import type { Site, Tensor } from "./graph.ts";
import { rareOf, stackOf, watching } from "./graph.ts";

/** Where in the user's program a node was made. It is kept only where somebody will ask: a stack for each node is dear. */

/** Runs `f` and keeps the line of every node that it makes. */
export function withSites<T>(f: () => T): T {
  return watching(rememberSite, f);
}

/** Keeps the line that made `x`, for ops whose mistakes show only when their data is read. */
export function rememberSite(x: Tensor): void {
  const site: Site = {};
  captureStack(site);
  rareOf(x).site = site;
}

/** The user's line that made `x`, if it was remembered: the first frame outside this package. */
export function siteOf(x: Tensor): string | null {
  const stack = stackOf(x)?.stack;
  return stack === undefined ? null : (callerLine(stack) ?? null);
}

/** Lets `copy` be where `x` was made, if that was remembered. */
export function inheritSite(copy: Tensor, x: Tensor): void {
  const site = stackOf(x);
  if (site) rareOf(copy).site = site;
}
