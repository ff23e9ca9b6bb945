/**
 * The one summation order. A reduction over `n` elements runs in `lanes` interleaved sums, each broken into
 * chunks of `steps` additions, and ends in a fixed tree over the lanes. Interpreter and compiled code follow it
 * to the bit, so an order may depend on shapes and axes only, never on which kernel happens to run.
 *
 *     element r  ->  lane r mod lanes, chunk floor(r / (lanes * steps))
 *     lane sum   =   ((chunk 0) + chunk 1) + ...      each chunk sums its elements from the first to the last
 *     result     =   halving tree: lane l += lane l + lanes/2, then lanes/4, ... , 1
 *
 * Every sum starts at the identity of the reduction. Chunks keep rounding errors small: a float32 sum of a million
 * elements adds at most a few hundred terms in a row (blocked summation: Higham, The Accuracy of Floating Point
 * Summation, SIAM J. Sci. Comput. 14, 1993).
 */
export interface Order {
  readonly lanes: number;
  readonly steps: number;
}

/** Additions in a row before a chunk is closed. */
const steps = 256;

/** Along the innermost axis: four vectors of four lanes hide the latency of an addition. */
export const mostLanes = 16;
const innerOrder: Order = { lanes: mostLanes, steps };

/** Along outer axes, where neighbouring results already fill the vectors, and for dot products of one row or column. */
export const outerOrder: Order = { lanes: 4, steps };

/** For products of matrices: blocks of `steps` terms, each block one sequence. */
const matrixOrder: Order = { lanes: 1, steps };

/**
 * The order of a reduction of `shape` over `axes`: by whether the last axis longer than 1 is summed away.
 */
export function reductionOrder(shape: readonly number[], axes: readonly number[]): Order {
  let last = shape.length - 1;
  while (last > 0 && shape[last] === 1) last--;
  return axes.includes(last) || shape.length === 0 ? innerOrder : outerOrder;
}

/** The order of a contraction with `rows` and `columns` of results for each batch entry. */
export function contractionOrder(rows: number, columns: number): Order {
  return rows === 1 || columns === 1 ? outerOrder : matrixOrder;
}

/** Lanes beyond the number of terms would hold nothing but the identity: they are left out. */
export function lanesFor({ lanes }: Order, terms: number): number {
  while (lanes > 1 && lanes / 2 >= terms) lanes /= 2;
  return lanes;
}
