type Task = (resume: () => void) => void;

/** Lets go of the event loop when the last time is 20 ms ago. */
export function pauses(): () => Promise<void> | undefined {
  // Node's setImmediate comes sooner than a timer.
  const { setImmediate } = globalThis as { readonly setImmediate?: Task | undefined };
  const later: Task = setImmediate ?? ((resume) => setTimeout(resume, 0));
  let last = performance.now();
  return () => {
    if (performance.now() - last < 20) return undefined;
    return new Promise<void>((resolve) => {
      later(() => {
        last = performance.now();
        resolve();
      });
    });
  };
}
