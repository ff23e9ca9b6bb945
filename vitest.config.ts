import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// The tests read the packages' sources, not their builds. These lists replace vite's own, hence the usual names.
const conditions = ["@cotangent/source", "module", "node", "development"];

// The second run of the tests, in which everything that is evaluated is compiled (see `test/compiled.ts`). It leaves out
// what evaluates nothing, and what says itself what is compiled and what is interpreted, which the first run has checked.
const compiled = process.env.COMPILED === "1";
const independent = [
  // A page that has its own bundle.
  "test/browser/**",
  // Texts and import lines. The documents' programs are run.
  "test/repository/{floors,ops,semantics}.test.ts",
  // Bytes.
  "test/unit/files.test.ts",
  // These compare programs with the interpreter.
  "test/laws/{compiled,cached,products,graphs}.test.ts",
  "test/unit/{cache,options,explain}.test.ts",
];

/** The longest file first: at the end it would keep one worker busy and the others waiting. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith("laws/registry.test.ts");
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: compiled ? independent : [],
    sequence: { sequencer: LongestFirst },
    // Two processors are worth two workers; vitest would leave one of them to itself.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A loaded machine takes several times as long.
    testTimeout: 30_000,
    setupFiles: ["test/setup.ts"],
    reporters:
      process.env.CI && !compiled ? ["default", ["json", { outputFile: "out/tests.json" }]] : ["default"],
    typecheck: {
      enabled: !compiled,
      include: ["test/types/**/*.test-d.ts"],
      tsconfig: "test/tsconfig.json",
      // Here only the type tests count: `npm run types` checks everything else.
      ignoreSourceErrors: true,
    },
  },
});
