import { vi } from "vitest";

/** Runs `f` as on a page that forbids WebAssembly, and counts how often it was asked for a module. */
export function forbidden(f: (attempts: () => number) => void): number {
  let attempts = 0;
  class Refusal {
    constructor() {
      attempts++;
      throw new WebAssembly.CompileError("refused");
    }
  }
  vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Module: { value: Refusal } }));
  try {
    f(() => attempts);
  } finally {
    vi.unstubAllGlobals();
  }
  return attempts;
}
