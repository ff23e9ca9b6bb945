import { compile, manualSeed, stack, type Tensor, tanh, variable, where, zeros } from "@cotangent/autograd";
import { Adam, MLP } from "@cotangent/nn";
import { Bernoulli } from "@cotangent/nn/distributions";
import { lost, pushed, standing } from "./world.ts";

export interface Settings {
  /** How many carts learn side by side, all from one network. */
  readonly carts: number;
  /** Moments between two updates. */
  readonly moments: number;
  readonly rate: number;
  readonly seed: number;
}

export const usual: Settings = { carts: 64, moments: 16, rate: 0.005, seed: 0 };

/** What became of the carts in the moments of one update. */
interface Report {
  /** How many poles fell. */
  readonly fallen: number;
  /** For how many moments the poles have stood, on average. */
  readonly age: number;
}

export interface Agent {
  /** Lets the carts run, and learns from that. */
  learn(): Report;
  /** Lets them run for one moment without learning. */
  watch(): void;
  /** Their states [carts, 4], row by row. */
  states(): ArrayLike<number>;
}

/** What a moment that a pole stands is worth now, if it lies in the future: less, by this factor for each moment. */
const patience = 0.99;

/**
 * An actor that says where to push, and a critic that says how long the pole will stand. Both learn from a few moments of all carts
 * (advantage actor-critic; Mnih et al. 2016): what went better than the critic thought is made more likely.
 */
export function begin({ carts, moments, rate, seed }: Settings = usual): Agent {
  manualSeed(seed);
  const actor = new MLP([4, 32, 1], { activation: tanh });
  const critic = new MLP([4, 32, 1], { activation: tanh });
  const optimizer = new Adam([...actor.parameters(), ...critic.parameters()], { lr: rate });
  const state = variable(standing(carts));
  const age = variable(zeros([carts, 1]));

  /** One moment of all carts: poles that fall are put up again. */
  const move = (before: Tensor, old: Tensor) => {
    const policy = new Bernoulli({ logits: actor.forward(before) });
    const right = policy.sample();
    const after = pushed(before, right);
    const fell = lost(after);
    return {
      likelihood: policy.logProb(right),
      doubt: policy.entropy(),
      fell: fell.cast("float32"),
      state: where(fell, standing(carts), after),
      age: where(fell, 0, old.add(1)),
    };
  };

  const learn = compile(() => {
    let now = { state: state as Tensor, age: age as Tensor };
    const history = Array.from({ length: moments }, () => {
      const expected = critic.forward(now.state);
      const moved = move(now.state, now.age);
      now = moved;
      return { ...moved, expected };
    });
    // Backwards: what each moment was worth, with the critic's word for what comes after the last.
    let worth = critic.forward(now.state).detach();
    const worths = history.toReversed().map(({ fell }) => {
      worth = fell
        .neg()
        .add(1)
        .mul(worth.mul(patience).add(1 - patience));
      return worth;
    });
    const surprise = stack(worths.toReversed()).sub(stack(history.map(({ expected }) => expected)));
    const likelihood = stack(history.map((moment) => moment.likelihood));
    const doubt = stack(history.map((moment) => moment.doubt));
    const gain = likelihood.mul(surprise.detach()).mean();
    const error = surprise.square().mean();
    optimizer.step(error.mul(0.5).sub(gain).sub(doubt.mean().mul(0.001)));
    state.assign(now.state);
    age.assign(now.age);
    return { fallen: stack(history.map(({ fell }) => fell)).sum(), age: now.age.mean() };
  });

  const watch = compile(() => {
    const moved = move(state, age);
    state.assign(moved.state);
    age.assign(moved.age);
  });

  return {
    learn() {
      const report = learn();
      return { fallen: report.fallen.item(), age: report.age.item() };
    },
    watch,
    states: () => state.toTypedArray(),
  };
}
