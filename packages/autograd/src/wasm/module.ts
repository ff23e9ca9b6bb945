/** Who refused to make a module, and how: browsers report each attempt. */
let refusal: { readonly by: unknown; readonly error: unknown } | null = null;

/** Is WebAssembly missing, or known to be forbidden by the page? */
export function isRefused(): boolean {
  return typeof WebAssembly === "undefined" || WebAssembly.Module === refusal?.by;
}

const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Is WebAssembly there, and allowed by the page? Who has a module to make can just try, which takes less time. */
export function canRun(): boolean {
  if (isRefused()) return false;
  try {
    moduleOf(empty);
    return true;
  } catch {
    return false;
  }
}

/** The module of this code. Throws where WebAssembly is missing, and what the page that forbids it threw when it was first asked. */
export function moduleOf(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  if (refusal && isRefused()) throw refusal.error;
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // What is right, and small enough, is refused by the page alone.
    const isForbidden = !(error instanceof RangeError) && !isRefused() && WebAssembly.validate(bytes);
    if (isForbidden) refusal = { by: WebAssembly.Module, error };
    throw error;
  }
}
