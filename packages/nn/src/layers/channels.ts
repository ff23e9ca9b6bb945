import type { CreateOptions, Tensor } from "@cotangent/autograd/functional";
import {
  add,
  assignAll,
  cast,
  DTypeError,
  div,
  mul,
  ones,
  ShapeError,
  scalar,
  sub,
  zeros,
} from "@cotangent/autograd/functional";
import { Buffer, Module, Parameter } from "../module.ts";
import type { Complete, Known } from "../options.ts";
import { checkNumber, checkShare } from "../options.ts";
import { checkSizes, checkTensor } from "./settings.ts";

export interface ChannelNormOptions extends CreateOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number | undefined;
  /**
   * What share of the running statistics a batch takes over; 0.1 unless given. With null they are the mean over all batches.
   */
  readonly momentum?: number | null | undefined;
  /** Has a weight and a bias for each channel. */
  readonly affine?: boolean | undefined;
  /** Keeps running statistics in training and normalizes by them outside of it. */
  readonly trackRunningStats?: boolean | undefined;
}

/** The names of these. */
export const channelNorm: Known<ChannelNormOptions> = {
  eps: true,
  momentum: true,
  affine: "boolean",
  trackRunningStats: "boolean",
  dtype: true,
};

/** What normalizations of [n, channels, ...] share: a weight and a bias, and running statistics of the channels. */
export abstract class ChannelNorm extends Module {
  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly weight: Parameter<[number]> | null;
  readonly bias: Parameter<[number]> | null;
  readonly runningMean: Buffer<[number]> | null;
  readonly runningVar: Buffer<[number]> | null;
  readonly numBatchesTracked: Buffer<[]> | null;

  constructor(numFeatures: number, options: Complete<ChannelNormOptions>) {
    super();
    const { eps, momentum, affine, trackRunningStats, dtype } = options;
    const { name } = this.constructor;
    checkSizes(name, { numFeatures });
    checkNumber(`${name}: eps`, eps, 0);
    if (momentum !== null) checkShare(`${name}: momentum`, momentum);
    if (dtype !== "float32" && dtype !== "float64")
      throw new DTypeError(`${name}: the parameters cannot be ${dtype}; use float32 or float64`);
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    const [one, none] = [ones([numFeatures], { dtype }), zeros([numFeatures], { dtype })];
    this.weight = affine ? new Parameter<[number]>(one).named("weight") : null;
    this.bias = affine ? new Parameter<[number]>(none).named("bias") : null;
    this.runningMean = trackRunningStats ? new Buffer<[number]>(none).named("runningMean") : null;
    this.runningVar = trackRunningStats ? new Buffer<[number]>(one).named("runningVar") : null;
    this.numBatchesTracked = trackRunningStats
      ? new Buffer<[]>(scalar(0, { dtype: "int32" })).named("numBatchesTracked")
      : null;
  }

  /** Weight and bias as the functions take them. */
  protected get affine(): [weight: Tensor | undefined, bias: Tensor | undefined] {
    return [this.weight ?? undefined, this.bias ?? undefined];
  }

  /** Throws ShapeError unless `x` has one of the given ranks and the channels on axis 1. */
  protected check(x: Tensor, forms: readonly string[]): void {
    const { numFeatures } = this;
    checkTensor(this.constructor.name, x);
    const axes = forms.map((form) => form.replace("c", String(numFeatures)));
    const fits = forms.some((form) => {
      const names = form.split(", ");
      return names.length === x.rank && x.shape[names.indexOf("c")] === numFeatures;
    });
    if (!fits)
      throw new ShapeError(
        `${this.constructor.name}(${numFeatures}): takes ${axes.map((form) => `[${form}]`).join(" or ")}, got shape ` +
          `[${x.shape.join(", ")}]; reshape it, or make the layer with as many features`,
      );
  }

  /** Is there anything that the running statistics could follow? An empty batch would make them NaN. */
  protected tracks(x: Tensor): boolean {
    return this.training && this.runningMean !== null && x.size > 0;
  }

  /** Moves the running statistics towards those of a batch, the variance of which is corrected already, and may count it. */
  protected track(mean: Tensor, variance: Tensor, counts = true): void {
    const { runningMean, runningVar, numBatchesTracked, momentum } = this;
    if (!runningMean || !runningVar || !numBatchesTracked) return;
    const { dtype } = runningMean;
    const seen: Tensor = add(numBatchesTracked as Tensor, 1);
    const share = momentum ?? div(1, cast(seen, dtype));
    // Weighed, not moved by a share of the difference, which would lose what is far smaller than the old number.
    const kept = momentum === null ? sub(1, share) : 1 - momentum;
    const moved = (from: Tensor, to: Tensor): Tensor => add(mul(from, kept), mul(cast(to, dtype), share));
    assignAll([
      [runningMean, moved(runningMean, mean)],
      [runningVar, moved(runningVar, variance)],
      ...(counts ? [[numBatchesTracked, seen] as const] : []),
    ]);
  }

  protected override details(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    return (
      `numFeatures=${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${weight !== null}, ` +
      `trackRunningStats=${runningMean !== null}`
    );
  }
}
