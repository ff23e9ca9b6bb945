import type { Tensor } from "../graph.ts";
import { formOf } from "./kernel.ts";
import type { Nest } from "./loops.ts";
import { vectorRounds } from "./loops.ts";

/**
 * What a nest is apart from where its elements lie. Nests of one form share one function, which gets the addresses: the
 * same layer many times, or the same update for many parameters, is written once.
 */
export interface Form {
  readonly key: string;
  /** The nodes that the nest reads and writes, in the order of the function's parameters. */
  readonly nodes: readonly Tensor[];
  /** The rounds of the one loop, if they are a parameter too: then nests of all sizes have this form. */
  readonly rounds: number | null;
}

/** Gives equal keys to nests that differ in their nodes alone. */
export class Forms {
  readonly #numbers = new Map<object, number>();
  readonly #known = new Map<string, Pick<Form, "key" | "rounds">>();

  of(nest: Nest): Form {
    const form = formOf(nest.kernel);
    let known = this.#known.get(form);
    if (!known) {
      known = { key: this.#keyOf(nest), rounds: roundsOf(nest) };
      this.#known.set(form, known);
    }
    return { ...known, nodes: nest.kernel.nodes };
  }

  #keyOf(nest: Nest): string {
    const { kernel, counts, outer, walks, places, target, unrolled, vector } = nest;
    const { kind, node, body, result, fold, pick, target: at, also, pattern } = kernel;
    const place = (x: { walk: number; offset: number } | null | undefined) =>
      x ? `${x.walk}+${x.offset}` : "";
    const rounds = roundsOf(nest) === null ? counts : "any";
    let key = `${kind} ${node.dtype} ${rounds}/${outer} ${walks.map((walk) => walk.join()).join(";")}`;
    key += ` ${place(target)} ${at.offset} ${unrolled.results}${unrolled.terms} ${vector?.loop}${vector?.overruns}`;
    if (kind === "scatter" || kind === "product") key += ` ${node.shape}`;
    if (fold)
      key += ` ${this.#number(fold.combine)},${fold.identity},${fold.order.lanes},${fold.order.steps}`;
    if (pick) key += ` ${pick.index},${pick.size},${pick.stride}`;
    key += ` ${result}`;
    for (const out of also) key += `,${out.node.dtype} ${out.result}`;
    body.forEach(({ word, dtype, operands, value, values, slow, source, pick: index }, i) => {
      key += `|${word} ${dtype} ${operands} ${Object.is(value, -0) ? "-0" : value} ${place(places[i])}`;
      if (source) key += ` <${pattern.sources[i]}`;
      if (values) key += ` t${this.#number(values)}`;
      if (slow) key += ` s${this.#number(slow)}`;
      if (index) key += ` p${index.index},${index.size},${index.stride}`;
    });
    return key;
  }

  #number(x: object): number {
    const known = this.#numbers.get(x);
    if (known !== undefined) return known;
    this.#numbers.set(x, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** Vectors of a nest that is one loop over whole vectors. */
function roundsOf(nest: Nest): number | null {
  const { counts, vector, unrolled } = nest;
  const isOneLoop = counts.length === 1 && vector !== null && vector.overruns && !unrolled.results;
  return isOneLoop ? vectorRounds(counts[0]!, vector.width) : null;
}
