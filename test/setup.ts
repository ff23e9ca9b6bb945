import fc from "fast-check";
import { afterAll, afterEach } from "vitest";
import { checkPasses } from "../packages/autograd/src/compile/run.ts";
import { useCache } from "../packages/autograd/src/evaluate.ts";
import { EverythingCompiled } from "./compiled.ts";
import { refuseStrayOutput, watchConsole } from "./console.ts";

// The same random cases at every run; FAST_CHECK_SEED tries others.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20260101) });

checkPasses();
// The second run of the tests: see `test/compiled.ts`.
if (process.env.COMPILED === "1") useCache(new EverythingCompiled());
watchConsole();
afterEach(refuseStrayOutput);
afterAll(refuseStrayOutput);
