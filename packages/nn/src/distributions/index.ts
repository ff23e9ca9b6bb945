import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

export { Categorical } from "./categorical.ts";
export { NegativeBinomial, Poisson } from "./counts.ts";
export type { Source } from "./distribution.ts";
export { Distribution } from "./distribution.ts";
export { klDivergence } from "./divergence.ts";
export { Independent } from "./independent.ts";
export { Exponential, Uniform } from "./interval.ts";
export type { LocationScale } from "./location.ts";
export { MixtureSameFamily } from "./mixture.ts";
export type { Spread } from "./multivariate.ts";
export { MultivariateNormal } from "./multivariate.ts";
export { LogNormal, Normal } from "./normal.ts";
export { Beta, Dirichlet } from "./simplex.ts";
export { StudentT } from "./student.ts";
export { Cauchy, Gumbel, Laplace } from "./tails.ts";
export type { Trials } from "./trials.ts";
export { Bernoulli, Geometric } from "./trials.ts";
export type { GammaFamily } from "./waiting.ts";
export { Chi2, Gamma } from "./waiting.ts";
export type { Chance } from "./weights.ts";
