import type { Variants } from "./workload.ts";
import { chain } from "./workloads/chain.ts";
import { cnn } from "./workloads/cnn.ts";
import { elementwise } from "./workloads/elementwise.ts";
import { gpt, gptOneHot } from "./workloads/gpt.ts";
import { lstm } from "./workloads/lstm.ts";
import { product, productGradients } from "./workloads/matmul.ts";
import { mlp } from "./workloads/mlp.ts";
import { curvature } from "./workloads/rosenbrock.ts";
import { xor } from "./workloads/xor.ts";

export const workloads: Record<string, Variants> = {
  W1: xor,
  W2: mlp,
  W3: cnn,
  W4: gpt,
  "W4-onehot": gptOneHot,
  "W5-fwd-256": product(256),
  "W5-fwd-512": product(512),
  "W5-fwd-1024": product(1024),
  "W5-bwd-512": productGradients(512),
  W6: elementwise,
  W7: chain(10_000),
  "W7-1000": chain(1000),
  "W7-100": chain(100),
  W8: lstm,
  W9: curvature,
};
