import * as factorization from "./linalg/factorization.ts";
import * as matrix from "./linalg/matrix.ts";
import * as solve from "./linalg/solve.ts";
import { chained } from "./methods.ts";
import type { Registered } from "./sample.ts";
import { isDeclared } from "./sample.ts";
import * as special from "./special.ts";
import * as window from "./window.ts";

/** Every op and composition by name: the exports of the files of this folder. */
export const registry: ReadonlyMap<string, Registered> = new Map(
  [...chained, special, window, factorization, solve, matrix]
    .flatMap((module) => Object.entries(module))
    .filter((entry): entry is [string, Registered] => isDeclared(entry[1])),
);
