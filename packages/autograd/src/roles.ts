/** What a node is to a program of the cache. */

/** The program computes it. */
export const computed = 0;
/** Holds its elements: an input. */
export const held = 1;
/** The same, and is a version of a variable. */
export const version = 2;
/** All elements equal one number that may be another one next time: an input without axes. */
export const number = 3;
/** All elements equal one number that is part of the form. */
export const constant = 4;
/** A pending version: has the elements of its one operand. */
export const passed = 5;
/** A part of held elements, found before the program runs: where it lies may change, and the rest stays outside. */
export const picked = 6;
