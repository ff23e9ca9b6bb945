import { defineConfig } from "vitest/config";

// The tests read the packages' sources, not their builds. These lists replace vite's own, hence the usual names.
const conditions = ["@cotangent/source", "module", "node", "development"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    // A loaded machine takes several times as long.
    testTimeout: 30_000,
    setupFiles: ["test/setup.ts"],
    reporters: process.env.CI ? ["default", ["json", { outputFile: "out/tests.json" }]] : ["default"],
    typecheck: {
      enabled: true,
      include: ["test/types/**/*.test-d.ts"],
      tsconfig: "test/tsconfig.json",
      // Here only the type tests count: `npm run types` checks everything else.
      ignoreSourceErrors: true,
    },
  },
});
