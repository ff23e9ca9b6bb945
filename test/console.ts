import { format } from "node:util";

const methods = ["log", "info", "warn", "error", "debug"] as const;

let stray: Error[] = [];
let captured: string[] | undefined;

/**
 * From here to the end of the test, what is printed to the console goes to the returned list, one entry a call,
 * and does not fail the test.
 */
export function captureConsole(): string[] {
  captured = [];
  return captured;
}

/** Replaces the console's methods by ones that record. */
export function watchConsole(): void {
  for (const method of methods) {
    console[method] = (...values: unknown[]) => {
      const text = format(...values);
      if (captured !== undefined) {
        captured.push(text);
        return;
      }
      const complaint = new Error(`console.${method}: ${text}`);
      Error.captureStackTrace(complaint, console[method]);
      stray.push(complaint);
    };
  }
}

/** Ends a test's capture and throws if anything was printed outside one. */
export function refuseStrayOutput(): void {
  const [first, ...more] = stray;
  stray = [];
  captured = undefined;
  if (first === undefined) return;
  first.message +=
    "\nA test printed to the console. If it should, call captureConsole() of test/console.ts first.";
  if (more.length > 0) first.message += ` (${more.length} more calls followed.)`;
  throw first;
}
