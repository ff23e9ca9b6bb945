/** Reductions that describe a sample: spread, norms, order statistics, counts. */
export {};
