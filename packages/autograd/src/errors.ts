/**
 * Every error of Cotangent is raised where the user made the mistake: the stack starts at the first frame
 * outside this package, and the message names the op, what it was given and what to do about it.
 */
export class CotangentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    pointToCaller(this);
  }
}

/** Lets the stack of `error` begin at the user's line. */
export function pointToCaller(error: Error): void {
  captureStack(error);
  if (error.stack) error.stack = fromCaller(error.stack);
}

/** Shapes, sizes or axes do not fit. */
export class ShapeError extends CotangentError {}

/** A dtype is not accepted here, or two dtypes do not combine. */
export class DTypeError extends CotangentError {}

/** An argument has a value that is not accepted: not a number, out of range, an unknown word. */
export class ValueError extends CotangentError {}

/** An index lies outside its axis. Indices that are data are checked when they are read. */
export class IndexError extends CotangentError {}

/** A derivative was asked for that does not exist, or would silently be wrong. */
export class GradientError extends CotangentError {}

/** A variable or a random generator was used in a way that its state does not allow. */
export class StateError extends CotangentError {}

/** A file is not what its format demands, is cut short, or holds something that has no place in a tensor. */
export class FormatError extends CotangentError {}

/** `compile` met something that it cannot turn into a program. */
export class CompileError extends CotangentError {}

/** Folders whose frames are ours: a user does not want to read them. */
const hidden: string[] = [];

/**
 * Leaves the frames of the package that `moduleUrl` (an `import.meta.url`) belongs to out of error stacks. An installed
 * package is hidden as a whole: with source maps its frames lie in `src`, and not beside the module that runs. Without a URL, as in
 * bundles that are no modules, nothing is left out.
 */
export function hideFrames(moduleUrl: string | undefined): void {
  if (!moduleUrl) return;
  const installed = /^.*\/@cotangent\/\w+\//.exec(moduleUrl);
  const folder = installed?.[0] ?? moduleUrl.slice(0, moduleUrl.lastIndexOf("/") + 1);
  hidden.push(folder, folder.replace(/^file:\/\//, ""));
}
hideFrames(import.meta.url);

/** What V8 adds to Error. */
interface StackCapture {
  readonly prototype: Error;
  stackTraceLimit?: number;
  captureStackTrace?(target: object): void;
}

/** Deep enough to reach the user's line through an evaluation. */
const depth = 50;

/** Gives `site` a `stack` that reaches the user's line; engines without the means keep what they have. */
export function captureStack(site: { stack?: string }): void {
  const capture: StackCapture = Error;
  if (!capture.captureStackTrace) {
    site.stack ??= new Error("site").stack ?? "";
    return;
  }
  const limit = capture.stackTraceLimit ?? 10;
  capture.stackTraceLimit = Math.max(limit, depth);
  capture.captureStackTrace(site);
  capture.stackTraceLimit = limit;
}

/** The first line of `stack` that is a frame outside the hidden folders. */
export function callerLine(stack: string): string | undefined {
  return stack.split("\n").find((line) => isFrame(line) && !isHidden(line));
}

/** As V8 writes it, or as the others do; a message may have an @, too. */
const isFrame = (line: string): boolean => /^\s+at |@(.*:\d+|\[native code\])$/.test(line);
/** Frames of this project, and of built-in functions and constructors of classes that have no source. */
const isHidden = (line: string): boolean =>
  /\((<anonymous>|unknown:[\d:]+)\)$|wasm:\/\//.test(line) || hidden.some((folder) => line.includes(folder));

/** Drops the leading frames that lie inside this package; keeps all of them if nothing else is there. */
function fromCaller(stack: string): string {
  const lines = stack.split("\n");
  const first = lines.findIndex(isFrame);
  const outside = lines.findIndex((line) => isFrame(line) && !isHidden(line));
  return first < 0 || outside <= first
    ? stack
    : [...lines.slice(0, first), ...lines.slice(outside)].join("\n");
}
