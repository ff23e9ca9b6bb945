import fc from "fast-check";
import { afterAll, afterEach } from "vitest";
import { checkPasses } from "../packages/autograd/src/compile/run.ts";
import { refuseStrayOutput, watchConsole } from "./console.ts";

// The same random cases at every run; FAST_CHECK_SEED tries others.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20260101) });

checkPasses();
watchConsole();
afterEach(refuseStrayOutput);
afterAll(refuseStrayOutput);
