let depth = 0;

/** Calls `f`, whose graph is wanted: functions that were compiled are in it what they were compiled from. */
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
