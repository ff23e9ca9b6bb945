/** What a node of a pending graph is to the program that evaluates it (`form.ts`, `routine.ts`). */

/** The program computes it. */
export const computed = 0;
/** Holds its elements: an input. */
export const held = 1;
/** Holds its elements and is a version of a variable: an input, or a state that the program overwrites. */
export const version = 2;
/** All elements equal one number, which may be another one at the next evaluation: an input of rank 0. */
export const number = 3;
/** All elements equal one number that is part of the form. */
export const constant = 4;
/** A pending version: has the elements of its one operand. */
export const passed = 5;
/** A part of held elements: copied before the program runs, since the part may be another one next time and the rest is not needed. */
export const picked = 6;
