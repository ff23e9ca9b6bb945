import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/**
 * The floors of each package, lowest first. A file imports only from a lower floor or from an entry to its left on
 * its own floor. `folder/*` stands for the folder's files (at any depth) that have no entry of their own; these may
 * import one another as long as no cycle arises.
 */
const packages: readonly PackageFloors[] = [
  {
    name: "@cotangent/autograd",
    folder: "packages/autograd",
    mayImport: [],
    optionalPeers: ["fast-check", "vitest"],
    floors: [
      [
        "errors.ts",
        "memo.ts",
        "shape.ts",
        "dtype.ts",
        "order.ts",
        "labels.ts",
        "arithmetic.ts",
        "program.ts",
        "ieee.ts",
        "machine.ts",
        "wasm/*",
        "functions/precision.ts",
        "functions/*",
        "functions/*",
        "functions.ts",
        "random.ts",
        "sorter.ts",
      ],
      [
        "graph.ts",
        "options.ts",
        "attributes.ts",
        "site.ts",
        "segment.ts",
        "inlining.ts",
        "topology.ts",
        "signature.ts",
      ],
      [
        "ops/leaf.ts",
        "ops/result.ts",
        "tree.ts",
        "ops/sample.ts",
        "ops/cast.ts",
        "ops/view.ts",
        "ops/passing.ts",
        "ops/movement.ts",
        "ops/region.ts",
        "ops/elementwise.ts",
        "ops/comparison.ts",
        "ops/pointwise.ts",
        "ops/elementary.ts",
        "ops/rounding.ts",
        "ops/bounds.ts",
        "ops/special.ts",
        "ops/incomplete.ts",
        "ops/beta.ts",
        "ops/mixture.ts",
        "ops/piecewise.ts",
        "ops/activation.ts",
        "ops/reduction.ts",
        "ops/normalization.ts",
        "ops/contraction.ts",
        "ops/affine.ts",
        "ops/range.ts",
        "ops/indexing.ts",
        "ops/join.ts",
        "ops/composed.ts",
        "ops/scan.ts",
        "ops/statistics.ts",
        "ops/sorting.ts",
        "ops/layout.ts",
        "ops/partition.ts",
        "ops/border.ts",
        "ops/placed.ts",
        "ops/factors.ts",
        "ops/folding.ts",
        "ops/window.ts",
        "ops/diagonal.ts",
        "ops/selection.ts",
        "ops/search.ts",
        "ops/accumulation.ts",
        "ops/distinct.ts",
        "ops/at.ts",
        "ops/einsum.ts",
        "ops/spatial.ts",
        "ops/convolution.ts",
        "ops/pooling.ts",
        "ops/adaptive.ts",
        "ops/resampling.ts",
        "ops/grid.ts",
        "ops/product.ts",
        "ops/distance.ts",
        "ops/table.ts",
        "ops/covariance.ts",
        "ops/linalg/modules.ts",
        "ops/linalg/blocks.ts",
        "ops/linalg/elimination.ts",
        "ops/linalg/reflection.ts",
        "ops/linalg/factorization.ts",
        "ops/linalg/solve.ts",
        "ops/linalg/determinant.ts",
        "ops/linalg/inverse.ts",
        "ops/linalg/orthogonal.ts",
        "ops/linalg/eigen.ts",
        "ops/linalg/spectrum.ts",
        "ops/linalg/pseudoinverse.ts",
        "ops/linalg/norm.ts",
        "ops/linalg/matrix.ts",
        "ops/draws.ts",
        "ops/arrivals.ts",
        "ops/conformity.ts",
        "ops/define.ts",
        "ops/methods.ts",
        "ops/index.ts",
      ],
      [
        "sums.ts",
        "kernels.ts",
        "interpret.ts",
        "total.ts",
        "reach.ts",
        "differentiate.ts",
        "rebuild.ts",
        "transform/gradient.ts",
        "transform/*",
      ],
      ["compile/*"],
      [
        "roles.ts",
        "work.ts",
        "form.ts",
        "slot.ts",
        "routine.ts",
        "cache.ts",
        "reuse.ts",
        "evaluate.ts",
        "variable.ts",
        "substitution.ts",
        "tracing.ts",
        "vmap.ts",
        "checkpoint.ts",
        "crew.ts",
        "threads.ts",
        "runner.ts",
        "compiled.ts",
        "generator.ts",
        "categorical.ts",
        "arrivals.ts",
        "closeness.ts",
        "dropout.ts",
        "attention.ts",
        "registry.ts",
        "inspect/text.ts",
        "inspect/*",
        "tensor.ts",
        "chaining.ts",
        "verify/*",
        "testing/*",
        "functional.ts",
        "index.ts",
      ],
    ],
  },
  {
    name: "@cotangent/nn",
    folder: "packages/nn",
    optionalPeers: [],
    mayImport: ["@cotangent/autograd/functional"],
    floors: [
      [
        "constants.ts",
        "options.ts",
        "lengths.ts",
        "state.ts",
        "module.ts",
        "call.ts",
        "initialize/*",
        "layers/*",
        "losses/*",
        "distributions/*",
      ],
      ["files/*", "optimize/*", "schedules/*", "data/*", "checkpoint.ts", "metrics/*"],
      [
        "pause.ts",
        "series.ts",
        "feed.ts",
        "validate.ts",
        "trail.ts",
        "session.ts",
        "train.ts",
        "stopping.ts",
        "summary.ts",
        "node/*",
        "index.ts",
      ],
    ],
  },
];

/** Only files below these may import from Node. */
const nodeFolders = ["packages/nn/src/node/"];

/** Names that say nothing of what is in the file. */
const emptyNames = ["utils", "util", "helpers", "helper", "common", "misc", "types"];

interface PackageFloors {
  readonly name: string;
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** Packages that a user may have: each is imported by the entry `testing` of its name only. */
  readonly optionalPeers: readonly string[];
  readonly floors: readonly (readonly string[])[];
}

interface SourceFile {
  /** Relative to the package's src folder, with forward slashes. */
  readonly path: string;
  /** What stands between the quotes of each import, in order. */
  readonly imports: readonly string[];
}

interface Place {
  readonly floor: number;
  readonly column: number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

for (const { name, folder, mayImport, optionalPeers, floors } of packages) {
  describe(`the floors of ${name}`, () => {
    const files = sourceFiles(folder);

    test("every file has a floor", () => {
      const homeless = files.filter((file) => placeOf(file.path, floors) === undefined);
      const complaints = homeless.map(
        ({ path }) =>
          `${folder}/src/${path} has no floor: add "${path}" to a floor of ${name} in floors.test.ts`,
      );
      expect(complaints).toEqual([]);
    });

    test("every file imports from below, or from the left on its own floor", () => {
      expect(files.flatMap((file) => upwardImports(file, floors))).toEqual([]);
    });

    test("no imports go round in a circle", () => {
      expect(findCycle(files)).toBeUndefined();
    });

    test("relative imports name a file of this package, with its ending", () => {
      const known = new Set(files.map((file) => file.path));
      const broken = relativeImports(files).filter(({ target }) => !known.has(target));
      expect(broken.map(({ from, target }) => `${from}: no file ${target}`)).toEqual([]);
    });

    test(`other packages are imported by name: ${mayImport.join(", ") || "none"}`, () => {
      const foreign = files.flatMap(({ path, imports }) =>
        imports
          .filter((specifier) => !isRelative(specifier) && !specifier.startsWith("node:"))
          .filter((specifier) => !mayImport.includes(specifier))
          .filter((specifier) => !(optionalPeers.includes(specifier) && path === `testing/${specifier}.ts`))
          .map((specifier) => `${path} imports ${specifier}`),
      );
      expect(foreign).toEqual([]);
    });

    test("Node's modules stay in the folders set aside for them", () => {
      const strays = files.filter(
        ({ path, imports }) =>
          imports.some((specifier) => specifier.startsWith("node:")) &&
          !nodeFolders.some((allowed) => `${folder}/src/${path}`.startsWith(allowed)),
      );
      expect(strays.map(({ path }) => path)).toEqual([]);
    });

    test("every file's name says what is in it", () => {
      const empty = files.filter(({ path }) =>
        path.split("/").some((part) => emptyNames.includes(part.replace(/\.ts$/, ""))),
      );
      expect(empty.map(({ path }) => path)).toEqual([]);
    });

    test("there are no runtime dependencies but our own", () => {
      const manifest: Record<string, Record<string, unknown> | undefined> = JSON.parse(
        readFileSync(join(root, folder, "package.json"), "utf8"),
      );
      const {
        dependencies,
        peerDependencies = {},
        peerDependenciesMeta = {},
        optionalDependencies,
      } = manifest;
      const all = { ...dependencies, ...optionalDependencies };
      const peers = Object.keys(peerDependencies);
      expect(peers).toEqual(optionalPeers);
      expect(peerDependenciesMeta).toEqual(
        Object.fromEntries(peers.map((peer) => [peer, { optional: true }])),
      );
      expect(Object.keys(all)).toEqual(mayImport.map((entry) => entry.split("/").slice(0, 2).join("/")));
    });
  });
}

describe("the reader of imports", () => {
  test("sees every form and skips comments and strings", () => {
    const source = [
      'import { a } from "./a.ts";',
      'import type { B,\n  C } from "./b.ts";',
      'import "./c.ts";',
      'export * from "./d.ts";',
      'export type { E } from "./e.ts";',
      'type F = import("./f.ts").F;',
      '// import g from "./g.ts";',
      '/* import h from "./h.ts"; */',
      "const text = 'import i from \"./i.ts\"';",
      'const url = "https://example.org"; export { j } from "./j.ts";',
      'export const k = "from"; const m = "./m.ts";',
    ].join("\n");
    expect(readImports(source)).toEqual([
      "./a.ts",
      "./b.ts",
      "./c.ts",
      "./d.ts",
      "./e.ts",
      "./f.ts",
      "./j.ts",
    ]);
  });

  test("an explicit entry comes before the folder's", () => {
    const floors = [["low.ts"], ["ops/leaf.ts", "ops/*", "ops/index.ts"]];
    expect(placeOf("ops/index.ts", floors)).toEqual({ floor: 1, column: 2 });
    expect(placeOf("ops/deep/sin.ts", floors)).toEqual({ floor: 1, column: 1 });
    expect(placeOf("other.ts", floors)).toBeUndefined();
    const upward = upwardImports({ path: "ops/leaf.ts", imports: ["../low.ts", "./sin.ts"] }, floors);
    expect(upward).toEqual(["ops/leaf.ts (floor 1) may not import ops/sin.ts (floor 1)"]);
  });

  test("a circle is named file by file", () => {
    const files = [
      { path: "a.ts", imports: ["./b.ts"] },
      { path: "b.ts", imports: ["./c.ts"] },
      { path: "c.ts", imports: ["./b.ts"] },
    ];
    expect(findCycle(files)).toBe("b.ts -> c.ts -> b.ts");
  });
});

function sourceFiles(folder: string): SourceFile[] {
  const source = join(root, folder, "src");
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => ({
      path: relative(source, join(source, path)).split(sep).join("/"),
      imports: readImports(readFileSync(join(source, path), "utf8")),
    }));
}

function readImports(source: string): string[] {
  // Strings are matched only so that a comment's opening inside one is not taken for a comment.
  const bare = source.replace(/("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\*[\s\S]*?\*\/|\/\/.*/g, "$1");
  const statement =
    /(?:^|;)\s*(?:import|export)\b[^;"'`=()]*?\bfrom\s*["']([^"']+)["']|(?:^|;)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...bare.matchAll(statement)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

function placeOf(path: string, floors: PackageFloors["floors"]): Place | undefined {
  return find((entry) => entry === path) ?? find((entry) => inFolder(path, entry));

  function find(matches: (entry: string) => boolean): Place | undefined {
    for (const [floor, entries] of floors.entries()) {
      const column = entries.findIndex(matches);
      if (column >= 0) return { floor, column };
    }
    return undefined;
  }
}

function inFolder(path: string, entry: string): boolean {
  return entry.endsWith("/*") && path.startsWith(entry.slice(0, -1));
}

function upwardImports(file: SourceFile, floors: PackageFloors["floors"]): string[] {
  const here = placeOf(file.path, floors);
  if (here === undefined) return [];
  const complaints: string[] = [];
  for (const { target } of relativeImports([file])) {
    const there = placeOf(target, floors);
    if (there === undefined) continue;
    const entry = floors[here.floor]![here.column]!;
    const sideBySide = there.floor === here.floor && there.column === here.column && entry.endsWith("/*");
    const below = there.floor < here.floor || (there.floor === here.floor && there.column < here.column);
    if (!below && !sideBySide) {
      complaints.push(`${file.path} (floor ${here.floor}) may not import ${target} (floor ${there.floor})`);
    }
  }
  return complaints;
}

function relativeImports(files: readonly SourceFile[]): { from: string; target: string }[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter(isRelative)
      .map((specifier) => ({ from: path, target: posix.join(posix.dirname(path), specifier) })),
  );
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

/** The first circle found, as `a.ts -> b.ts -> a.ts`. */
function findCycle(files: readonly SourceFile[]): string | undefined {
  const imports = new Map(
    files.map((file) => [file.path, relativeImports([file]).map(({ target }) => target)]),
  );
  const finished = new Set<string>();

  function visit(path: string, trail: readonly string[]): string | undefined {
    const start = trail.indexOf(path);
    if (start >= 0) return [...trail.slice(start), path].join(" -> ");
    if (finished.has(path)) return undefined;
    for (const target of imports.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(path);
    return undefined;
  }

  for (const { path } of files) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
