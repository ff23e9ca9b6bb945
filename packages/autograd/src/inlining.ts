/** Transforms such as `valueAndGrad` need the graph of a compiled function, not its results: inside them it is the function itself. */

let depth = 0;

/** Calls `f`, in which compiled functions are what they were compiled from. */
export function inlined<T>(f: () => T): T {
  depth++;
  try {
    return f();
  } finally {
    depth--;
  }
}

/** Does `inlined` run? */
export function isInlining(): boolean {
  return depth > 0;
}
