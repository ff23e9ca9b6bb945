import { byteSize } from "../dtype.ts";
import { outerOrder } from "../order.ts";
import { Code, select } from "../wasm/assembler.ts";
import * as i32 from "../wasm/i32.ts";
import * as simd from "../wasm/simd.ts";
import type { Float } from "./matrices.ts";

/**
 * Products of one row with a matrix, for one after the other of its results. Each sum has four lanes: of a matrix whose terms lie side by
 * side they are the lanes of vectors; of one whose results do they come one after the other, for some vectors of results.
 */

const { lanes, steps } = outerOrder;
const laneBits = 31 - Math.clz32(lanes);
export const vectorBytes = 16;

const instructions = {
  float32: {
    mul: 0xe6,
    add: 0xe4,
    splat: simd.splat32,
    loadLane: simd.load32Lane,
    storeLane: simd.store32Lane,
  },
  float64: {
    mul: 0xf2,
    add: 0xf0,
    splat: simd.splat64,
    loadLane: simd.load64Lane,
    storeLane: simd.store64Lane,
  },
} as const;

/** The upper half of a vector, and of what is below it the upper half again. */
const halves = [
  [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15],
  [4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7],
] as const;

/** `round` as often as the local `count` says, which is 0 afterwards. */
function times(code: Code, count: number, round: () => void): void {
  code.block().get(count).op(i32.eqz).branchIf(0).loop();
  round();
  code.get(count).i32(1).op(i32.sub).tee(count).branchIf(0).end().end();
}

/** `round` until the local `left` is 0, each time for `most` of it, or as many as there are: their number is in the local `count`. */
function inChunks(code: Code, left: number, count: number, most: number, round: () => void): void {
  code.block().get(left).op(i32.eqz).branchIf(0).loop();
  code.get(left).i32(most).get(left).i32(most).op(i32.lessUnsigned).op(select).set(count);
  code.get(left).get(count).op(i32.sub).set(left);
  round();
  code.get(left).branchIf(0).end().end();
}

function clear(code: Code, vectors: readonly number[]): void {
  for (const vector of vectors) code.v128([0, 0, 0, 0]).set(vector);
}

/** Adds each vector to its counterpart. */
function addAll(code: Code, add: number, into: readonly number[], from: readonly number[]): void {
  into.forEach((local, i) => {
    code.get(local).get(from[i]!).vector(add).set(local);
  });
}

/**
 * The function `(row, matrix, out, terms, step, rounds)` for a matrix whose terms lie side by side: in each round so many results, which are
 * `step` bytes apart in the matrix.
 */
export function termsBeside(dtype: Float, together: number): Code {
  const { mul, add, loadLane, storeLane } = instructions[dtype];
  const bytes = byteSize(dtype);
  const inVector = vectorBytes / bytes;
  const parts = lanes / inVector;
  const code = new Code(new Array<"i32">(6).fill("i32"));
  const [row, matrix, out, terms, step, rounds] = [0, 1, 2, 3, 4, 5] as const;
  const some = (count: number) => Array.from({ length: count }, () => code.take("v128"));
  const [totals, sums, factors] = [some(together * parts), some(together * parts), some(parts)];
  const other = code.take("v128");
  const [at, left, count, rest] = [code.take("i32"), code.take("i32"), code.take("i32"), code.take("i32")];
  const places = Array.from({ length: together }, () => code.take("i32"));
  const multiply = (sum: number, push: () => void, part: number) => {
    code.get(sum).get(factors[part]!);
    push();
    code.vector(mul).vector(add).set(sum);
  };
  const whole = () => {
    factors.forEach((factor, part) => {
      code
        .get(at)
        .vectorMemory(simd.load, 2, part * vectorBytes)
        .set(factor);
    });
    places.forEach((place, k) => {
      for (let part = 0; part < parts; part++)
        multiply(
          sums[k * parts + part]!,
          () => code.get(place).vectorMemory(simd.load, 2, part * vectorBytes),
          part,
        );
      code.advance(place, lanes * bytes);
    });
    code.advance(at, lanes * bytes);
  };
  /** As many elements as are left over, and zeros behind them: to add 0 changes no sum, as none is -0. */
  const loadRest = (place: number, vector: number, part: number) => {
    clear(code, [vector]);
    for (let lane = 0, term = part * inVector; lane < inVector && term < lanes - 1; lane++, term++) {
      code.i32(term).get(rest).op(i32.lessSigned).if(null);
      code
        .get(place)
        .get(vector)
        .vectorMemory(loadLane, 2, term * bytes, lane)
        .set(vector)
        .end();
    }
  };
  const remaining = () => {
    for (let part = 0; part < parts; part++) {
      loadRest(at, factors[part]!, part);
      places.forEach((place, k) => {
        loadRest(place, other, part);
        multiply(sums[k * parts + part]!, () => code.get(other), part);
      });
    }
  };
  times(code, rounds, () => {
    places.forEach((place, k) => {
      code.get(k === 0 ? matrix : places[k - 1]!);
      if (k > 0) code.get(step).op(i32.add);
      code.set(place);
    });
    code.get(row).set(at).get(terms).set(left);
    clear(code, totals);
    inChunks(code, left, count, lanes * steps, () => {
      clear(code, sums);
      code
        .get(count)
        .i32(lanes - 1)
        .op(i32.and)
        .set(rest);
      code.get(count).i32(laneBits).op(i32.shrUnsigned).set(count);
      times(code, count, whole);
      code.get(rest).if(null);
      remaining();
      code.end();
      addAll(code, add, totals, sums);
    });
    for (let k = 0; k < together; k++) {
      const [total, upper] = [totals[k * parts]!, totals[k * parts + 1]];
      if (parts === 2) code.get(total).get(upper!).vector(add).set(total);
      for (const half of parts === 2 ? [halves[0]] : halves)
        code.get(total).get(total).get(total).shuffle(half).vector(add).set(total);
      code
        .get(out)
        .get(total)
        .vectorMemory(storeLane, 2, k * bytes, 0);
    }
    for (let k = 0; k < together; k++) code.advance(matrix, { local: step });
    code.advance(out, together * bytes);
  });
  return code.titled("row by matrix, terms side by side");
}

/**
 * The function `(row, matrix, out, terms, rowStep, step, rounds)` for a matrix whose results lie side by side: in each round so many vectors of
 * them. Terms are `rowStep` bytes apart in the row and `step` in the matrix.
 */
export function resultsBeside(dtype: Float, vectors: number): Code {
  const { mul, add, splat } = instructions[dtype];
  const code = new Code(new Array<"i32">(7).fill("i32"));
  const [row, matrix, out, terms, rowStep, step, rounds] = [0, 1, 2, 3, 4, 5, 6] as const;
  const some = () => Array.from({ length: vectors }, () => code.take("v128"));
  const [sums, totals, even, odd] = [some(), some(), some(), some()];
  const element = code.take("v128");
  const [at, place, left, count] = [code.take("i32"), code.take("i32"), code.take("i32"), code.take("i32")];
  const [rowLanes, lanesStep] = [code.take("i32"), code.take("i32")];
  code.get(rowStep).i32(lanes).op(i32.mul).set(rowLanes);
  code.get(step).i32(lanes).op(i32.mul).set(lanesStep);
  const sumLane = (lane: number) => {
    code.get(row).get(rowStep).i32(lane).op(i32.mul).op(i32.add).set(at);
    code.get(matrix).get(step).i32(lane).op(i32.mul).op(i32.add).set(place);
    code
      .get(terms)
      .i32(lanes - 1 - lane)
      .op(i32.add)
      .i32(laneBits)
      .op(i32.shrUnsigned)
      .set(left);
    clear(code, totals);
    inChunks(code, left, count, steps, () => {
      clear(code, sums);
      times(code, count, () => {
        code.get(at).vectorMemory(splat, 2, 0).set(element);
        sums.forEach((sum, v) => {
          code
            .get(sum)
            .get(element)
            .get(place)
            .vectorMemory(simd.load, 2, v * vectorBytes);
          code.vector(mul).vector(add).set(sum);
        });
        code.advance(at, { local: rowLanes });
        code.advance(place, { local: lanesStep });
      });
      addAll(code, add, totals, sums);
    });
  };
  times(code, rounds, () => {
    for (const [pair, first] of [
      [even, 0],
      [odd, 1],
    ] as const) {
      sumLane(first);
      pair.forEach((local, v) => {
        code.get(totals[v]!).set(local);
      });
      sumLane(first + 2);
      addAll(code, add, pair, totals);
    }
    addAll(code, add, even, odd);
    even.forEach((local, v) => {
      code
        .get(out)
        .get(local)
        .vectorMemory(simd.store, 2, v * vectorBytes);
    });
    code.advance(matrix, vectors * vectorBytes);
    code.advance(out, vectors * vectorBytes);
  });
  return code.titled("row by matrix, results side by side");
}
