import { byteSize } from "../dtype.ts";
import { remembered } from "../memo.ts";
import { lanesFor } from "../order.ts";
import type { Program } from "../program.ts";
import { equalShapes, sizeOf } from "../shape.ts";
import type { Affine } from "./affine.ts";
import type { Form, Kernel, Scalar } from "./kernel.ts";
import { scalarsOf } from "./kernel.ts";
import type { Width } from "./lanes.ts";
import { hasVectorWord } from "./lanes.ts";
import type { Steps } from "./steps.ts";
import { stride } from "./steps.ts";

// One file, since strips, vectors and unrolling are each chosen by what the others leave of the same loops and walks.

/**
 * A kernel as loops over memory. Neighbouring loops through which all places move evenly are merged into one, loops of one round are
 * dropped, and places that move alike share a walk: a number that the loops advance, to which each place adds a constant.
 */
export interface Nest extends Loops {
  readonly kernel: Kernel;
}

/** The loops of all kernels of one form. */
export interface Loops {
  readonly form: Form;
  /** The rounds of each loop, outermost first. */
  readonly counts: readonly number[];
  /** The first `outer` loops count results. */
  readonly outer: number;
  /** For each walk, how far it goes in one round of each loop: in bytes for places in memory, else in units. */
  readonly walks: readonly (readonly number[])[];
  /** The place of each scalar of the body; null for those that neither load nor are an index. */
  readonly places: readonly (Place | null)[];
  readonly target: Place;
  /** Are the loops over results, and those over terms, unrolled: written out round by round? */
  readonly unrolled: { readonly results: boolean; readonly terms: boolean };
  readonly vector: Vector | null;
}

/** The loop that runs several rounds at once, in the lanes of vectors. */
interface Vector {
  readonly loop: number;
  readonly width: Width;
  /** May the last vector reach beyond the end? Behind every node is room for the rest of a vector. */
  readonly overruns: boolean;
  /** How many vectors of results one round computes. */
  readonly together: number;
}

/** How many vectors cover `count` elements, if the last one may reach beyond the end. */
export function vectorRounds(count: number, width: Width): number {
  return Math.ceil(count / width);
}

/** Where a scalar is found: the number of a walk (-1 if it does not move), and what is added to the walk. */
export interface Place {
  readonly walk: number;
  readonly offset: number;
}

export function* loops(kernels: readonly Kernel[]): Steps<Nest[]> {
  const nests: Nest[] = [];
  const known = new Map<Form, Loops>();
  for (const kernel of kernels) {
    nests.push({ kernel, ...remembered(known, kernel.form, loopsOf) });
    if (nests.length % stride === 0) yield;
  }
  return nests;
}

function loopsOf(form: Form): Loops {
  // Elements that are read are as wide as what is read.
  const target = scaled(form.target, byteSize(form.dtype));
  const affines = form.body.map(({ source, at, dtype }) =>
    at && source >= 0 ? scaled(at, byteSize(dtype)) : at,
  );
  const { ends, counts, outer } = merged(form, [target, ...affines.filter((x) => x !== null)]);
  const walks: number[][] = [];
  const place = ({ offset, steps }: Affine): Place => {
    const walk = ends.map((loop) => steps[loop]!);
    if (walk.every((step) => step === 0)) return { walk: -1, offset };
    const known = walks.findIndex((other) => equalShapes(other, walk));
    return { walk: known < 0 ? walks.push(walk) - 1 : known, offset };
  };
  const places = affines.map((at) => at && place(at));
  const plain = { form, counts, outer, walks, places, target: place(target) };
  const nest = form.kind === "map" && outer > 1 && counts[outer - 1]! >= manyLines ? inStrips(plain) : plain;
  const vector = vectorOf(nest);
  return { vector, unrolled: unrolling(nest, vector), ...nest };
}

/**
 * A transposition walks through what it reads across the lines of memory. It goes in strips: as many results side by side as
 * fill a line, for all rounds of the loop along which it reads such lines, before the next ones.
 */
function inStrips(nest: Plain): Plain {
  const { form, counts, outer, walks, places, target } = nest;
  const inner = outer - 1;
  const size = byteSize(form.dtype);
  const count = counts[inner]!;
  if (strideOf(nest, target, inner) !== size) return nest;
  const strip = [16, 20, 12, 24, 8].find((n) => count % n === 0);
  const moving = form.body.flatMap(({ source }, i) => (source >= 0 && places[i] ? [places[i]] : []));
  const across = moving.filter((place) => Math.abs(strideOf(nest, place, inner)) >= lineBytes);
  const along = (loop: number) =>
    loop < inner &&
    across.some(
      (place) => lineBytes > 8 * Math.abs(strideOf(nest, place, loop)) && strideOf(nest, place, loop) !== 0,
    );
  const first = counts.findIndex((_, loop) => along(loop));
  if (strip === undefined || first < 0) return nest;
  const split = <T>(list: readonly T[], strips: T): T[] => [
    ...list.slice(0, first),
    strips,
    ...list.slice(first),
  ];
  return {
    ...nest,
    counts: split(counts, count / strip).with(outer, strip),
    outer: outer + 1,
    walks: walks.map((steps) => split(steps, steps[inner]! * strip)),
  };
}

/** A cache line: the bytes that memory and caches exchange at once. */
const lineBytes = 64;

/** An innermost loop of so many rounds, each of which reads another line, reads more lines than the first-level cache keeps. */
const manyLines = 128;

type Plain = Omit<Loops, "vector" | "unrolled">;

/** How far a place moves in one round of `loop`. */
export function strideOf({ walks }: Pick<Loops, "walks">, place: Place, loop: number): number {
  return place.walk < 0 ? 0 : walks[place.walk]![loop]!;
}

/**
 * The loop that runs in vectors, if one can: of a reduction the innermost over terms, if that has several lanes; else the innermost over
 * results, whose elements lie side by side; else one around it.
 */
function vectorOf(nest: Plain): Vector | null {
  const { form, counts, outer, target } = nest;
  const isSmall = sizeOf(form.space) <= fewIndices;
  if (form.kind === "product" || form.kind === "opaque" || (isSmall && !isWorthFew(form))) return null;
  const width = widthOf(form);
  if (width === null) return null;
  if (isSmall) return vectorOfFew(nest, width);
  const size = byteSize(form.dtype);
  const terms = sizeOf(counts.slice(outer));
  if (form.kind === "reduce" && counts.length > outer) {
    const lanes = lanesFor(form.fold!.order, terms);
    const last = counts.length - 1;
    // In several loops each row of terms has to begin with the first lane of a vector.
    const fits = last === outer ? terms >= width : counts[last]! % width === 0;
    const isEven = isEvenAlong(nest, last) || (last > outer && isEvenAlong(nest, last, 2));
    if (lanes >= width && fits && isEven) return { loop: last, width, overruns: false, together: 1 };
  }
  const inner = outer - 1;
  if (inner < 0) return null;
  if (strideOf(nest, target, inner) !== size || counts[inner]! < (width === 4 ? 3 : 2))
    return vectorAround(nest, width);
  if (form.kind === "scatter" && varying(nest, inner)[form.pick!.index]) return null;
  return { loop: inner, width, overruns: mayOverrun(nest), together: togetherOf(nest, width) };
}

/**
 * How many vectors of results one round computes. Several, if a reduction goes through so many terms that the cache lines of which the first
 * vector reads a part are gone before the next vector comes.
 */
function togetherOf({ form, counts, outer }: Plain, width: Width): number {
  const isOneLoop = form.kind === "reduce" && counts.length === outer + 1;
  if (!isOneLoop || counts[outer]! < manyTerms || sizeOf(counts) < manyElements) return 1;
  const work = workOf(form.body);
  const together = work <= shortBody ? 8 : 4;
  return work <= longBody && counts[outer - 1]! >= together * width ? together : 1;
}

/** How many scalars are computed or loaded. */
function workOf(body: readonly Scalar[]): number {
  let work = 0;
  for (const { word } of body) if (word !== "constant") work++;
  return work;
}

/** With fewer, the caches hold the lines until the next vector. */
const manyTerms = 64;
const manyElements = 1 << 18;

const shortBody = 4;

/**
 * Where the innermost loops have few rounds: the loop around them, if all loads are even there. Its results are stored apart,
 * lane by lane.
 */
function vectorAround(nest: Plain, width: Width): Vector | null {
  const { form, counts, outer } = nest;
  let rounds = 1;
  let loop = outer - 1;
  while (loop >= 0 && rounds * counts[loop]! <= fewRounds) rounds *= counts[loop--]!;
  const fits = form.kind === "map" && loop >= 0 && counts[loop]! >= width && isEvenAlong(nest, loop);
  return fits ? { loop, width, overruns: false, together: 1 } : null;
}

const fewRounds = 4;

/**
 * Kernels of few indices are computed one by one unless their body is long: a vector that is loaded right after its parts
 * were stored one by one waits until they have reached the cache, which takes longer than a few steps of arithmetic. The
 * lanes must be full; they need not lie side by side.
 */
const fewIndices = 64;
const longBody = 24;

const isWorthFew = ({ kind, body }: Form): boolean => kind === "map" && body.length >= longBody;

function vectorOfFew({ counts, outer }: Plain, width: Width): Vector | null {
  for (let loop = outer - 1; loop >= 0; loop--)
    if (counts[loop]! % width === 0) return { loop, width, overruns: false, together: 1 };
  return null;
}

/** Does every place stand still in this loop, or move from one element to the next, or, if `most` is 2, by two? */
function isEvenAlong(nest: Plain, loop: number, most = 1): boolean {
  const moving = varying(nest, loop);
  return nest.form.body.every(({ dtype, source, pick, operands }, i) => {
    const place = nest.places[i];
    if (!place || source < 0) return true;
    const stride = strideOf(nest, place, loop) / byteSize(dtype);
    const isEven =
      stride === 0 || stride === 1 || (stride === most && !pick && operands.length === 0 && dtype !== "bool");
    return isEven && (!pick || !moving[pick.index]);
  });
}

function mayOverrun(nest: Plain): boolean {
  const { form, counts, target } = nest;
  return (
    form.kind === "map" &&
    counts.length === 1 &&
    counts[0] === form.size &&
    target.offset === 0 &&
    isEvenAlong(nest, 0) &&
    form.body.every(({ word, pick }) => word !== "table" && !pick)
  );
}

/** Which scalars of the body can change from one round of `loop` to the next? */
export function varying(nest: Pick<Loops, "form" | "walks" | "places">, loop: number): boolean[] {
  const out: boolean[] = [];
  nest.form.body.forEach(({ operands, pick }, i) => {
    const place = nest.places[i];
    const moves = place ? strideOf(nest, place, loop) !== 0 : false;
    out.push(moves || operands.some((x) => out[x]) || (pick !== null && out[pick.index]!));
  });
  return out;
}

/** How many lanes the kernel's words fit into, or null if they do not: all its dtypes must be as wide. */
function widthOf({ body, fold, dtype }: Form): Width | null {
  const scalars = fold ? [...body, ...scalarsOf(fold.combine)] : body;
  const dtypes = new Set(scalars.map((scalar) => scalar.dtype).concat(dtype));
  const wide = dtypes.has("float64");
  if (wide && (dtypes.has("float32") || dtypes.has("int32"))) return null;
  const fits = fold ? hasWords(body) && hasWords(scalarsOf(fold.combine)) : hasWords(body);
  return fits ? (wide ? 2 : 4) : null;
}

function hasWords(body: readonly Scalar[]): boolean {
  return body.every(({ word, dtype, operands, slow }) => {
    if (word === "load" || word === "inside" || word === "constant" || word === "input" || word === "table")
      return true;
    if (word === "index") return dtype === "int32";
    if (word === "call") return false;
    if (word === "rare") return takesOneWidth(slow!);
    if (word.startsWith("shift")) return body[operands[1]!]!.word === "constant";
    return hasVectorWord(word, dtype, body[operands[word === "select" ? 1 : 0]!]!.dtype);
  });
}

/** The slow side of a `rare` runs lane by lane; only what goes in and comes out counts. */
function takesOneWidth({ inputs, instructions, result }: Program): boolean {
  const sizes = [...inputs, instructions[result]!.dtype].filter((x) => x !== "bool").map(byteSize);
  return sizes.every((size) => size === sizes[0]);
}

function scaled({ offset, steps }: Affine, by: number): Affine {
  return { offset: offset * by, steps: steps.map((step) => step * by) };
}

/**
 * Neighbouring loops become one where all places move evenly: the last loop of each group, and its rounds, outermost first. Loops over
 * results and over terms stay apart.
 */
function merged({ kind, space, outer }: Form, moving: readonly Affine[]) {
  const ends: number[] = [];
  const counts: number[] = [];
  let results = 0;
  for (let loop = 0; loop < space.length; loop++) {
    const size = space[loop]!;
    if (size === 1) continue;
    const last = ends.length - 1;
    const before = ends[last];
    const isEven =
      before !== undefined &&
      before < outer === loop < outer &&
      !(kind === "product" && loop === outer - 1) &&
      moving.every(({ steps }) => steps[before] === steps[loop]! * size);
    if (isEven) {
      ends[last] = loop;
      counts[last]! *= size;
    } else {
      ends.push(loop);
      counts.push(size);
    }
    if (loop < outer) results = ends.length;
  }
  return { ends, counts, outer: results };
}

/** How many scalars, rounds and terms there may be when loops are unrolled. */
const unrolledLimit = 100;
const unrolledRounds = 32;
const unrolledTerms = 64;

function unrolling({ form, counts, outer }: Plain, vector: Vector | null): Loops["unrolled"] {
  if (form.kind === "product" || (vector && vector.loop >= outer)) return { terms: false, results: false };
  const { body, fold } = form;
  const work = 1 + workOf(body) + (fold?.combine.instructions.length ?? 0);
  const terms = sizeOf(counts.slice(outer));
  const inner = terms <= unrolledTerms && terms * work <= unrolledLimit;
  const rounds = vector
    ? (sizeOf(counts) / counts[vector.loop]!) * Math.ceil(counts[vector.loop]! / vector.width)
    : sizeOf(counts);
  const results = inner && rounds <= unrolledRounds && rounds * work <= unrolledLimit;
  return { terms: inner, results };
}
