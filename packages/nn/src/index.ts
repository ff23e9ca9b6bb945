import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

// Models.
export { Buffer, Module, Parameter } from "./module.ts";
export type { Layer } from "./module.ts";
export type { LoadedKeys, LoadOptions, StateDict } from "./state.ts";

// Layers.
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  Heaviside,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  SELU,
  SiLU,
  Sigmoid,
  Softmax,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from "./layers/activation.ts";
export type { Activation, ActivationClass, PReLUOptions } from "./layers/activation.ts";
export { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "./layers/batchnorm.ts";
export { Bilinear } from "./layers/bilinear.ts";
export type { BilinearOptions } from "./layers/bilinear.ts";
export type { ChannelNormOptions } from "./layers/channels.ts";
export { Identity, ModuleDict, ModuleList } from "./layers/containers.ts";
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d } from "./layers/dropout.ts";
export { Embedding } from "./layers/embedding.ts";
export type { EmbeddingOptions } from "./layers/embedding.ts";
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "./layers/instancenorm.ts";
export type { InstanceNormOptions } from "./layers/instancenorm.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
} from "./layers/convolution.ts";
export type { ConvOptions, ConvTransposeOptions } from "./layers/convolution.ts";
export { Linear } from "./layers/linear.ts";
export type { LinearOptions } from "./layers/linear.ts";
export { MLP } from "./layers/mlp.ts";
export type { MLPOptions } from "./layers/mlp.ts";
export { GroupNorm, LayerNorm, RMSNorm } from "./layers/normalization.ts";
export type { GroupNormOptions, LayerNormOptions, RMSNormOptions } from "./layers/normalization.ts";
export { Perceptron } from "./layers/perceptron.ts";
export type { LearnOptions } from "./layers/perceptron.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  Flatten,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  Unflatten,
} from "./layers/pooling.ts";
export type { Reshaping, ReshapingClass } from "./layers/pooling.ts";
export { Sequential } from "./layers/sequential.ts";

// Optimizers.
export { Adagrad, AdamW, RMSprop } from "./optimize/adaptive.ts";
export type { AdagradOptions, AdamWOptions, RMSpropOptions } from "./optimize/adaptive.ts";
export { Adam, SGD } from "./optimize/optimizers.ts";
export type { AdamOptions, SGDOptions } from "./optimize/optimizers.ts";
export { chain, Optimizer } from "./optimize/transform.ts";
export type { Transform } from "./optimize/transform.ts";
export {
  addDecayedWeights,
  perStep,
  scaleByAdam,
  scaleByLearningRate,
  trace,
} from "./optimize/transforms.ts";
export type { AdamScaling, Hyperparameter, MomentumOptions } from "./optimize/transforms.ts";

// Training.
export { fit } from "./train.ts";
export type { Batch, Epoch, FitOptions, TrainingData } from "./train.ts";
