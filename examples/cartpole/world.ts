import { cat, logicalOr, split, type Tensor, uniform } from "@cotangent/autograd";

/**
 * Carts on rails, each with a pole that stands on it and falls if nobody minds (Barto, Sutton and Anderson 1983, with the numbers of
 * CartPole-v1). A state [carts, 4] holds for each cart its place and speed, and the angle of the pole and how fast it turns.
 */

const gravity = 9.8;
const cartMass = 1;
const poleMass = 0.1;
/** From the hinge to the middle of the pole. */
const length = 0.5;
const force = 10;
const seconds = 0.02;

/** Beyond these the game is lost. */
export const farthest = 2.4;
export const steepest = (12 * Math.PI) / 180;

/** States nearly at rest. */
export function standing(carts: number): Tensor {
  return uniform([carts, 4], { low: -0.05, high: 0.05 });
}

/** The states a moment later, when each cart has been pushed to the right (1) or to the left (0): [carts, 1]. */
export function pushed(state: Tensor, right: Tensor): Tensor {
  const [place, speed, angle, turning] = split(state, 1, { axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
  const mass = cartMass + poleMass;
  const push = right.mul(2).sub(1).mul(force);
  const [sin, cos] = [angle.sin(), angle.cos()];
  const drive = push
    .add(
      turning
        .square()
        .mul(sin)
        .mul(poleMass * length),
    )
    .div(mass);
  const inertia = cos
    .square()
    .mul(-poleMass / mass)
    .add(4 / 3)
    .mul(length);
  const fall = sin.mul(gravity).sub(cos.mul(drive)).div(inertia);
  const gain = drive.sub(fall.mul(cos).mul((poleMass * length) / mass));
  return cat(
    [
      place.add(speed.mul(seconds)),
      speed.add(gain.mul(seconds)),
      angle.add(turning.mul(seconds)),
      turning.add(fall.mul(seconds)),
    ],
    1,
  );
}

/** Which of the states are lost: [carts, 1]. */
export function lost(state: Tensor): Tensor {
  const [place, , angle] = split(state, 1, { axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
  return logicalOr(place.abs().gt(farthest), angle.abs().gt(steepest));
}
