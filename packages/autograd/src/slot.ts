import type { TypedArray } from "./dtype.ts";
import { copyOf } from "./dtype.ts";

/**
 * A place in the memory of a program for the elements of a tensor. Elements do not change, so they are copied in only if others
 * lie there.
 */
export class Slot {
  readonly place: TypedArray;
  #held: TypedArray | null = null;

  constructor(place: TypedArray) {
    this.place = place;
  }

  /** Brings elements in. */
  fill(data: TypedArray): void {
    if (data === this.#held) return;
    this.place.set(data);
    this.#held = data;
  }

  /** Brings in an array that somebody may write to: it is always copied. */
  copy(data: TypedArray): void {
    this.forget();
    this.place.set(data);
  }

  /** A copy of what the program has put there. The slot is known to hold these elements from now on. */
  take(): TypedArray {
    this.#held = copyOf(this.place);
    return this.#held;
  }

  /** What lies there is no longer what was brought in: the program has written to it. */
  forget(): void {
    this.#held = null;
  }
}
