/** Rounding, remainders, and the parts that a float is made of. */
export {};
