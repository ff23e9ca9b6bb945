import * as accumulation from "./accumulation.ts";
import * as activation from "./activation.ts";
import * as adaptive from "./adaptive.ts";
import * as beta from "./beta.ts";
import * as convolution from "./convolution.ts";
import * as covariance from "./covariance.ts";
import * as distance from "./distance.ts";
import * as distinct from "./distinct.ts";
import * as grid from "./grid.ts";
import * as incomplete from "./incomplete.ts";
import * as determinant from "./linalg/determinant.ts";
import * as factorization from "./linalg/factorization.ts";
import * as inverse from "./linalg/inverse.ts";
import * as matrix from "./linalg/matrix.ts";
import * as norms from "./linalg/norm.ts";
import * as orthogonal from "./linalg/orthogonal.ts";
import * as pseudoinverse from "./linalg/pseudoinverse.ts";
import * as solve from "./linalg/solve.ts";
import * as spectrum from "./linalg/spectrum.ts";
import { chained } from "./methods.ts";
import * as normalization from "./normalization.ts";
import * as piecewise from "./piecewise.ts";
import * as pooling from "./pooling.ts";
import * as resampling from "./resampling.ts";
import type { Registered } from "./sample.ts";
import { isDeclared } from "./sample.ts";
import * as search from "./search.ts";
import * as special from "./special.ts";
import * as table from "./table.ts";
import * as window from "./window.ts";

const linalg = [
  factorization,
  solve,
  determinant,
  inverse,
  orthogonal,
  spectrum,
  pseudoinverse,
  norms,
  matrix,
];

/** Every op and composition by name: the functions with samples that the files of this folder export. */
export const registry: ReadonlyMap<string, Registered> = new Map(
  [
    ...chained,
    activation,
    normalization,
    piecewise,
    special,
    incomplete,
    beta,
    table,
    covariance,
    window,
    search,
    accumulation,
    distinct,
    distance,
    convolution,
    pooling,
    adaptive,
    resampling,
    grid,
    ...linalg,
  ]
    .flatMap((module) => Object.values(module))
    .filter(isDeclared)
    .map((f) => [f.name, f]),
);
