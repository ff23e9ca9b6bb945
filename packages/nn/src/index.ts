import { hideFrames } from "@cotangent/autograd/functional";

hideFrames(import.meta.url);

// Models.
export { functionalCall } from "./call.ts";
export type { Values } from "./call.ts";
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
export type { AttentionMasks } from "./layers/masks.ts";
export { MultiheadAttention } from "./layers/attention.ts";
export type { AttendOptions, MultiheadAttentionOptions } from "./layers/attention.ts";
export { EmbeddingBag } from "./layers/bag.ts";
export type { BagOptions, EmbeddingBagOptions } from "./layers/bag.ts";
export { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "./layers/batchnorm.ts";
export { Bilinear } from "./layers/bilinear.ts";
export type { BilinearOptions } from "./layers/bilinear.ts";
export type { ChannelNormOptions } from "./layers/channels.ts";
export { GRUCell, LSTMCell, RNNCell } from "./layers/cells.ts";
export type { CellOptions, RNNCellOptions } from "./layers/cells.ts";
export { Identity, ModuleDict, ModuleList } from "./layers/containers.ts";
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d } from "./layers/dropout.ts";
export type { DropoutLayerOptions } from "./layers/dropout.ts";
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
export { RBFFeatures } from "./layers/kernel.ts";
export type { RBFFeaturesOptions } from "./layers/kernel.ts";
export { Linear } from "./layers/linear.ts";
export type { LinearOptions } from "./layers/linear.ts";
export { LogisticRegression } from "./layers/logistic.ts";
export { LoRA } from "./layers/lora.ts";
export type { LoRAOptions } from "./layers/lora.ts";
export { MLP } from "./layers/mlp.ts";
export type { MLPOptions } from "./layers/mlp.ts";
export { GroupNorm, LayerNorm, RMSNorm } from "./layers/normalization.ts";
export type { GroupNormOptions, LayerNormOptions, RMSNormOptions } from "./layers/normalization.ts";
export { spectralNorm, weightNorm } from "./layers/parametrization.ts";
export type { SpectralNormOptions, WeightNormOptions } from "./layers/parametrization.ts";
export { Perceptron } from "./layers/perceptron.ts";
export type { LearnOptions } from "./layers/perceptron.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
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
export { PositionalEncoding, RotaryEmbedding } from "./layers/position.ts";
export type { PositionalEncodingOptions, RotaryOptions } from "./layers/position.ts";
export { Recurrent } from "./layers/recurrence.ts";
export type { RecurrentOptions, SequenceOptions } from "./layers/recurrence.ts";
export { GRU, LSTM, RNN } from "./layers/recurrent.ts";
export type { LSTMOptions, RNNOptions } from "./layers/recurrent.ts";
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  PixelShuffle,
  PixelUnshuffle,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  Upsample,
  ZeroPad2d,
} from "./layers/resampling.ts";
export type { Border } from "./layers/resampling.ts";
export { Sequential } from "./layers/sequential.ts";
export {
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "./layers/transformer.ts";
export type {
  DecodeOptions,
  EncodeOptions,
  StackOptions,
  TransformerLayerOptions,
} from "./layers/transformer.ts";
export { Transformer } from "./layers/translator.ts";
export type { TransformerOptions, TranslateOptions } from "./layers/translator.ts";

// Optimizers.
export { Adadelta } from "./optimize/adadelta.ts";
export type { AdadeltaOptions } from "./optimize/adadelta.ts";
export { Adafactor } from "./optimize/adafactor.ts";
export type { AdafactorOptions } from "./optimize/adafactor.ts";
export { Adagrad } from "./optimize/adagrad.ts";
export type { AdagradOptions } from "./optimize/adagrad.ts";
export { Adam, AdamW } from "./optimize/adam.ts";
export type { AdamOptions, AdamWOptions } from "./optimize/adam.ts";
export { Adamax } from "./optimize/adamax.ts";
export type { AdamaxOptions } from "./optimize/adamax.ts";
export { ASGD } from "./optimize/asgd.ts";
export type { ASGDOptions } from "./optimize/asgd.ts";
export { LAMB } from "./optimize/lamb.ts";
export type { LAMBOptions } from "./optimize/lamb.ts";
export { LARS } from "./optimize/lars.ts";
export type { LARSOptions } from "./optimize/lars.ts";
export { LBFGS } from "./optimize/lbfgs.ts";
export type { LBFGSOptions } from "./optimize/lbfgs.ts";
export { LevenbergMarquardt } from "./optimize/levenberg.ts";
export type { LevenbergMarquardtOptions } from "./optimize/levenberg.ts";
export { Lion } from "./optimize/lion.ts";
export type { LionOptions } from "./optimize/lion.ts";
export { Muon } from "./optimize/muon.ts";
export type { MuonOptions } from "./optimize/muon.ts";
export { NAdam } from "./optimize/nadam.ts";
export type { NAdamOptions } from "./optimize/nadam.ts";
export { RAdam } from "./optimize/radam.ts";
export type { RAdamOptions } from "./optimize/radam.ts";
export { RMSprop } from "./optimize/rmsprop.ts";
export type { RMSpropOptions } from "./optimize/rmsprop.ts";
export { Rprop } from "./optimize/rprop.ts";
export type { RpropOptions } from "./optimize/rprop.ts";
export { AdamWScheduleFree, SGDScheduleFree } from "./optimize/schedulefree.ts";
export type {
  AdamWScheduleFreeOptions,
  ScheduleFree,
  SGDScheduleFreeOptions,
} from "./optimize/schedulefree.ts";
export { SGD } from "./optimize/sgd.ts";
export type { SGDOptions } from "./optimize/sgd.ts";

// Around the steps of an optimizer.
export { accumulate } from "./optimize/accumulation.ts";
export { clipByNorm, clipByValue, clipGradNorm, clipGradValue } from "./optimize/clipping.ts";
export type { ClipGradNormOptions, ClipNormOptions } from "./optimize/clipping.ts";
export { EMA } from "./optimize/ema.ts";
export type { EMAOptions } from "./optimize/ema.ts";
export { lookahead } from "./optimize/lookahead.ts";
export type { LookaheadOptions } from "./optimize/lookahead.ts";
export { sharpnessAware } from "./optimize/sharpness.ts";
export type { SharpnessOptions } from "./optimize/sharpness.ts";

// Optimizers of your own.
export type { Group, Method, MethodOptions, ParameterGroup, Trainable } from "./optimize/groups.ts";
export { chain, Optimizer } from "./optimize/transform.ts";
export type { Assignments, Gradients, OptimizerOptions, Stage, Transform } from "./optimize/transform.ts";
export {
  addDecayedWeights,
  decayWeights,
  perStep,
  scaleByAdam,
  scaleByLearningRate,
  trace,
} from "./optimize/transforms.ts";
export type { AdamScaling, Hyperparameter, MomentumOptions, Schedule } from "./optimize/transforms.ts";

// Training.
export type { CheckpointStore, Stateful } from "./checkpoint.ts";
export type { Batch, TrainingData } from "./feed.ts";
export { DivergenceError } from "./session.ts";
export type { Epoch } from "./session.ts";
export type { Series } from "./series.ts";
export { earlyStopping } from "./stopping.ts";
export type { EarlyStoppingOptions } from "./stopping.ts";
export { Summary, summary } from "./summary.ts";
export type { SummaryOptions, SummaryRow } from "./summary.ts";
export { fit } from "./train.ts";
export type { CheckpointInterval, FitOptions, Step, Training } from "./train.ts";
export type { Explainer } from "./trail.ts";
export { validate } from "./validate.ts";
export type { Scores, ValidateOptions } from "./validate.ts";
