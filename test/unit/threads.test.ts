import { spawnSync } from "node:child_process";
import {
  assignAll,
  compile,
  defineOp,
  getNumThreads,
  IndexError,
  indexSelect,
  normal,
  setNumThreads,
  slice,
  type Tensor,
  tensor,
  ValueError,
  variable,
} from "@cotangent/autograd";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runBy } from "../../packages/autograd/src/compile/run.ts";
import { Crew, Pace } from "../../packages/autograd/src/crew.ts";
import { sourceBundle } from "../../scripts/source-bundle.mjs";
import { same } from "../bits.ts";
import { captureConsole } from "../console.ts";
import { withCrew } from "../crew.ts";
import { forbidden } from "../forbidden.ts";

afterEach(() => setNumThreads(1));

const layers = (x: Tensor, w: Tensor): Tensor => x.matmul(w).tanh().matmul(w).softmax(1);

describe("programs for several threads", () => {
  const [x, w, large] = [normal([64, 48]), normal([48, 48]), normal([200, 64, 41])];
  const narrow = normal([64, 3]);
  for (const given of [large, narrow]) given.toTypedArray();

  test("run on the main thread alone as long as the others do not know them, with the same bits", () => {
    const crew = new Crew(2, { fewest: 1 });
    crew.dismiss();
    runBy(crew);
    same((x, w) => [layers(x!, w!), layers(x!, w!).sum()], [x, w]);
    const [a, b] = [variable(w), variable(w.mul(2))];
    compile(() =>
      assignAll([
        [a, b.transpose(0, 1)],
        [b, a.transpose(0, 1)],
      ]),
    )();
    runBy(null);
    expect([a.toArray(), b.toArray()]).toEqual([2, 1].map((n) => w.mul(n).transpose(0, 1).toArray()));
    expect(crew.runs).toBe(0);
  });

  test("are interpreted where a page forbids them, which is asked once", () => {
    const printed = captureConsole();
    withCrew(2, () => {
      const attempts = forbidden(() => {
        const f = compile(layers);
        for (let i = 0; i < 3; i++) expect(f(x, w).toArray()).toEqual(layers(x, w).toArray());
        expect(compile((x: Tensor) => layers(x, w))(x).shape).toEqual([64, 48]);
      });
      expect(attempts).toBe(1);
    });
    expect(printed).toHaveLength(1);
  });

  test("have the same bits for any number of threads, more than there are rows included", () => {
    for (const size of [2, 3, 5])
      withCrew(size, (crew) => {
        same((x, w) => [layers(x!, w!), layers(x!, w!).sum()], [x, w]);
        same((x) => [x!.matmul(x!.transpose(0, 1)).exp(), x!.cumsum(1)], [normal([3, 40])]);
        same((x) => [slice(x!.neg().flip(0), 58, 64).mul(2)], [narrow]);
        // Each thread keeps its totals in a place of its own.
        for (let i = 0; i < 5; i++) same((x) => [x!.sum([0, 2])], [large]);
        expect(crew.runs).toBeGreaterThanOrEqual(8);
      });
  });

  test("compute opaque ops once, on the main thread", () => {
    let calls = 0;
    const reversed = defineOp({
      name: "reversed",
      kernel: {
        kind: "opaque",
        run: ([x], out) => {
          calls++;
          out.data.set(x!.data.slice().reverse());
        },
      },
      derivatives: [null as never],
      shape: ([x]) => x!.shape,
      dtype: ([x]) => x!.dtype,
    });
    withCrew(2, () => {
      const f = compile((x: Tensor) => reversed([x.exp()], {}).mul(2));
      const expected = x.exp().toTypedArray().slice().reverse();
      expect(f(x).toTypedArray()).toEqual(expected.map((y) => 2 * y));
    });
    expect(calls).toBe(1);
  });

  test("leave variables as they were if a check fails between what is divided, and go on", () => {
    withCrew(3, (crew) => {
      const v = variable(normal([64, 48]));
      const step = compile((i: Tensor) => {
        const picked = indexSelect(v.exp(), 0, i);
        v.assign(v.mul(2));
        return picked.mul(3).sum();
      });
      const before = v.toArray();
      const [good, bad] = [
        [0, 63],
        [0, 64],
      ].map((list) => tensor(list, { dtype: "int32" })) as [Tensor, Tensor];
      for (let round = 0; round < 3; round++) expect(() => step(bad)).toThrow(IndexError);
      expect(v.toArray()).toEqual(before);
      step(good);
      expect(v.toArray()).toEqual(tensor(before).mul(2).toArray());
      expect(crew.runs).toBeGreaterThanOrEqual(4);
    });
  });

  test("run alone when there are other threads now", () => {
    let f = (x: Tensor, _: Tensor): Tensor => x;
    withCrew(2, () => {
      f = compile(layers);
      f(x, w);
    });
    expect(f(x, w).toArray()).toEqual(layers(x, w).toArray());
  });

  test("go to new workers when they are run", () => {
    withCrew(2, (crew) => {
      const f = compile(layers);
      const first = f(x, w).toArray();
      crew.renew();
      expect(crew.runs).toBe(0);
      for (let i = 0; i < 3; i++) {
        expect(f(x, w).toArray()).toEqual(first);
        crew.catchUp();
      }
      expect(crew.runs).toBe(2);
    });
  });

  test("are run in the way that took less time lately, and try the other now and then", () => {
    const pace = new Pace();
    /** How many of 1000 runs are shared. */
    const sharedRuns = (alone: number, shared: number): number =>
      Array.from({ length: 1000 }, () => {
        const isShared = pace.next();
        pace.took(isShared, isShared ? shared : alone);
        return isShared;
      }).filter((isShared) => isShared).length;
    // A slow first run does not count for long.
    pace.took(true, 50);
    expect(sharedRuns(10, 6)).toBe(990);
    expect(sharedRuns(10, 30)).toBeLessThan(100);
    expect(sharedRuns(10, 30)).toBe(10);
    expect(sharedRuns(10, 6)).toBeGreaterThan(700);
    expect(sharedRuns(10, 6)).toBe(990);
  });

  test("say in explain how much is divided", () => {
    withCrew(2, () => {
      const f = compile(layers);
      f(x, w);
      expect(f.explain()).toMatch(/^ {2}threads +2 {2}to which \d of \d kernels are divided$/m);
    });
    const f = compile(layers);
    f(x, w);
    expect(f.explain()).not.toMatch(/threads/);
  });
});

describe("setNumThreads", () => {
  test("is told a whole number", () => {
    expect(getNumThreads()).toBe(1);
    setNumThreads(3);
    expect(getNumThreads()).toBe(3);
    for (const bad of [0, -1, 1.5, 65, Number.NaN, "2" as never])
      expect(() => setNumThreads(bad)).toThrow(ValueError);
    expect(getNumThreads()).toBe(3);
  });

  test("starts threads that take part in a loop that never rests, and do not keep the process", async () => {
    const code = await sourceBundle(`
      import { compile, normal, setNumThreads } from "@cotangent/autograd";
      setNumThreads(2);
      const x = normal([256, 256]);
      const f = compile((x) => x.matmul(x).tanh());
      const [first, start] = [String(f(x).toArray()), performance.now()];
      while (performance.now() - start < 1000) f(x);
      console.log(String(f(x).toArray()) === first);`);
    const { stdout, status } = spawnSync(process.execPath, ["-"], {
      input: code,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect([status, stdout.trim()]).toEqual([0, "true"]);
  });

  test("says once that workers of a page do not start", () => {
    const started: { onerror: (() => void) | null }[] = [];
    class Forbidden {
      onerror: (() => void) | null = null;
      constructor() {
        started.push(this);
      }
      postMessage(): void {}
      terminate(): void {}
    }
    const { getBuiltinModule } = process;
    vi.stubGlobal("Worker", Forbidden);
    const printed = captureConsole();
    try {
      Object.assign(process, { getBuiltinModule: undefined });
      const crew = new Crew(3, { fewest: 1 });
      runBy(crew);
      const f = compile(layers);
      f(normal([64, 48]), normal([48, 48]));
      expect(f.explain()).toMatch(/to which \d of \d kernels are divided; the others have not started$/m);
      crew.dismiss();
    } finally {
      runBy(null);
      Object.assign(process, { getBuiltinModule });
      vi.unstubAllGlobals();
    }
    for (const worker of started) worker.onerror!();
    expect(started).toHaveLength(2);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toContain("setNumThreads: workers do not start here, and programs run on one thread");
  });
});
