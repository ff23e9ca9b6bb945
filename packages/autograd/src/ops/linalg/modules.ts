import { assemble, Code } from "../../wasm/assembler.ts";
import * as i32 from "../../wasm/i32.ts";
import { moduleOf } from "../../wasm/module.ts";
import * as simd from "../../wasm/simd.ts";

/**
 * The arithmetic of `blocks.ts` as functions of WebAssembly, on memory that they are given. Each element gets the same operations
 * in the same order, so the bits are the same.
 */

/** A function of addresses and numbers. */
export type Run = (...numbers: number[]) => number;

const load = [0x2b, 3] as const;
const store = [0x39, 3] as const;
const [add, sub, mul] = [0xa0, 0xa1, 0xa2];
const [addPair, subPair, mulPair] = [0xf0, 0xf1, 0xf2];
const bytes = 8;

const numbers = (count: number) => new Array<"i32">(count).fill("i32");

/** Runs the body, which lowers `count` by `step`, while at least `step` are left. */
function whileLeft(code: Code, count: number, step: number, body: () => void): void {
  code.block().loop().get(count).i32(step).op(i32.lessSigned).branchIf(1);
  body();
  code.advance(count, -step).i32(1).branchIf(0).end().end();
}

/** One element or several pairs of them side by side: what code for a tile of either does. */
class Lanes {
  readonly #code: Code;
  readonly #columns: number;

  constructor(code: Code, columns: number) {
    this.#code = code;
    this.#columns = columns;
  }

  get type(): "f64" | "v128" {
    return this.#columns === 1 ? "f64" : "v128";
  }
  get count(): number {
    return Math.max(1, this.#columns / 2);
  }
  /** Number `lane` of those at the address on the stack. */
  load(lane: number): void {
    if (this.#columns === 1) this.#code.memory(load, 0);
    else this.#code.vectorMemory(simd.load, 3, 16 * lane);
  }
  /** One element for all lanes. */
  spread(): void {
    if (this.#columns === 1) this.#code.memory(load, 0);
    else this.#code.vectorMemory(simd.splat64, 3, 0);
  }
  store(lane: number): void {
    if (this.#columns === 1) this.#code.memory(store, 0);
    else this.#code.vectorMemory(simd.store, 3, 16 * lane);
  }
  op(one: number, pair: number): void {
    if (this.#columns === 1) this.#code.op(one);
    else this.#code.vector(pair);
  }
}

/** Of how many columns and rows the tiles are whose elements stay in registers: the widest first. */
interface Tiles {
  readonly columns: readonly number[];
  readonly rows: readonly number[];
}

/** Takes from a block the product of two others; widths are in bytes. */
function subtraction({ columns, rows }: Tiles): Code {
  const code = new Code(numbers(9));
  const [height, count, length, to, toWidth, factors, factorWidth, from, width] = code.parameters.keys();
  const [rowsLeft, out, left] = [code.take("i32"), code.take("i32"), code.take("i32")];
  const [step, at] = [code.take("i32"), code.take("i32")];
  const across = (tall: number, lanes: Lanes): void => {
    const places = [out, ...Array.from({ length: tall - 1 }, () => code.take("i32"))];
    const firsts = [left, ...Array.from({ length: tall - 1 }, () => code.take("i32"))];
    for (let i = 1; i < tall; i++) {
      code
        .get(places[i - 1]!)
        .get(toWidth!)
        .op(i32.add)
        .set(places[i]!);
      code
        .get(firsts[i - 1]!)
        .get(factorWidth!)
        .op(i32.add)
        .set(firsts[i]!);
    }
    const sums = places.map((place) =>
      Array.from({ length: lanes.count }, (_, lane) => {
        const sum = code.take(lanes.type);
        code.get(place);
        lanes.load(lane);
        code.set(sum);
        return sum;
      }),
    );
    const row = Array.from({ length: lanes.count }, () => code.take(lanes.type));
    const factor = code.take(lanes.type);
    code.i32(0).set(step).get(from!).set(at).loop();
    row.forEach((local, lane) => {
      code.get(at);
      lanes.load(lane);
      code.set(local);
    });
    sums.forEach((list, i) => {
      code.get(firsts[i]!).get(step).op(i32.add);
      lanes.spread();
      code.set(factor);
      list.forEach((sum, lane) => {
        code.get(sum).get(factor).get(row[lane]!);
        lanes.op(mul, mulPair);
        lanes.op(sub, subPair);
        code.set(sum);
      });
    });
    code.advance(at, { local: width! }).advance(step, bytes);
    code.get(step).get(count!).op(i32.lessSigned).branchIf(0).end();
    sums.forEach((list, i) => {
      list.forEach((sum, lane) => {
        code.get(places[i]!).get(sum);
        lanes.store(lane);
        code.release(sum);
      });
    });
    for (const local of [...row, factor, ...places.slice(1), ...firsts.slice(1)]) code.release(local);
    for (let i = 0; i < tall; i++)
      code.advance(out, { local: toWidth! }).advance(left, { local: factorWidth! });
  };
  for (const wide of columns)
    whileLeft(code, length!, wide, () => {
      code.get(height!).set(rowsLeft).get(to!).set(out).get(factors!).set(left);
      for (const tall of rows) whileLeft(code, rowsLeft, tall, () => across(tall, new Lanes(code, wide)));
      code.advance(to!, bytes * wide).advance(from!, bytes * wide);
    });
  return code;
}

/** Takes from each row of a square block the sum of two others, times a factor of that row each. */
function subtractionOfBoth(): Code {
  const code = new Code(numbers(5));
  const [size, to, width, v, w] = code.parameters.keys();
  const [row, left, out] = [code.take("i32"), code.take("i32"), code.take("i32")];
  const [first, second] = [code.take("i32"), code.take("i32")];
  const part = (lanes: Lanes, [a, b]: readonly [number, number]): void => {
    code.get(out).get(out);
    lanes.load(0);
    for (const [factor, place] of [
      [a, second],
      [b, first],
    ] as const) {
      code.get(factor).get(place);
      lanes.load(0);
      lanes.op(mul, mulPair);
    }
    lanes.op(add, addPair);
    lanes.op(sub, subPair);
    lanes.store(0);
  };
  code.get(size!).set(row);
  const [a, b] = [code.take("f64"), code.take("f64")];
  const [as, bs] = [code.take("v128"), code.take("v128")];
  const [vs, ws] = [code.take("i32"), code.take("i32")];
  code.get(v!).set(vs).get(w!).set(ws);
  whileLeft(code, row, 1, () => {
    code.get(vs).memory(load, 0).tee(a).vector(simd.splatFloat64).set(as);
    code.get(ws).memory(load, 0).tee(b).vector(simd.splatFloat64).set(bs);
    code.get(size!).set(left).get(to!).set(out).get(v!).set(first).get(w!).set(second);
    for (const wide of [2, 1])
      whileLeft(code, left, wide, () => {
        part(new Lanes(code, wide), wide === 1 ? [a, b] : [as, bs]);
        for (const place of [out, first, second]) code.advance(place, bytes * wide);
      });
    code.advance(vs, bytes).advance(ws, bytes).advance(to!, { local: width! });
  });
  return code;
}

/** Turns two vectors by an angle. */
function rotation(): Code {
  const code = new Code([...numbers(3), "f64", "f64"]);
  const [count, x, y, cos, sin] = code.parameters.keys();
  for (const wide of [2, 1]) {
    const lanes = new Lanes(code, wide);
    const [a, b, c, s] = [
      code.take(lanes.type),
      code.take(lanes.type),
      code.take(lanes.type),
      code.take(lanes.type),
    ];
    for (const [from, to] of [
      [cos!, c],
      [sin!, s],
    ] as const) {
      code.get(from);
      if (wide > 1) code.vector(simd.splatFloat64);
      code.set(to);
    }
    const products = (p: number, q: number, one: number, pair: number): void => {
      for (const [factor, vector] of [
        [p, a],
        [q, b],
      ] as const) {
        code.get(factor).get(vector);
        lanes.op(mul, mulPair);
      }
      lanes.op(one, pair);
      lanes.store(0);
    };
    whileLeft(code, count!, wide, () => {
      for (const [from, to] of [
        [x!, a],
        [y!, b],
      ] as const) {
        code.get(from);
        lanes.load(0);
        code.set(to);
      }
      code.get(x!);
      products(c, s, sub, subPair);
      code.get(y!);
      products(s, c, add, addPair);
      for (const place of [x!, y!]) code.advance(place, bytes * wide);
    });
  }
  return code;
}

/** The inner product, in eight sums. */
function innerProduct(): Code {
  const code = new Code(numbers(3), ["f64"]);
  const [count, x, y] = code.parameters.keys();
  const sums = Array.from({ length: 4 }, () => code.take("v128"));
  const both = code.take("v128");
  const total = code.take("f64");
  whileLeft(code, count!, 8, () => {
    sums.forEach((sum, i) => {
      code.get(sum);
      for (const place of [x!, y!]) code.get(place).vectorMemory(simd.load, 3, 16 * i);
      code.vector(mulPair).vector(addPair).set(sum);
    });
    for (const place of [x!, y!]) code.advance(place, 8 * bytes);
  });
  code.get(sums[0]!).get(sums[1]!).vector(addPair);
  code.get(sums[2]!).get(sums[3]!).vector(addPair).vector(addPair).tee(both);
  code.lane(simd.extractFloat64, 0).get(both).lane(simd.extractFloat64, 1).op(add).set(total);
  whileLeft(code, count!, 1, () => {
    code.get(total);
    for (const place of [x!, y!]) code.get(place).memory(load, 0);
    code.op(mul).op(add).set(total);
    for (const place of [x!, y!]) code.advance(place, bytes);
  });
  return code.get(total);
}

/** `row` is `block` for blocks of one row. */
export type Name = "block" | "row" | "both" | "rotation" | "inner";

const codes: Record<Name, () => Code> = {
  block: () => subtraction({ columns: [4, 2, 1], rows: [4, 1] }),
  row: () => subtraction({ columns: [16, 4, 2, 1], rows: [1] }),
  both: subtractionOfBoth,
  rotation,
  inner: innerProduct,
};

const modules = new Map<Name, WebAssembly.Module>();

/** The function of this name, on `memory`. Throws where WebAssembly is refused. */
export function instantiate(name: Name, memory: WebAssembly.Memory): Run {
  let module = modules.get(name);
  if (!module) {
    module = moduleOf(assemble([codes[name]()], 1, { memory: "host" }));
    modules.set(name, module);
  }
  return new WebAssembly.Instance(module, { host: { memory } }).exports.run as Run;
}
