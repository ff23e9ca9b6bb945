/** Elementary functions beyond the arithmetic of `pointwise.ts`: powers and logarithms of other bases, trigonometry, hyperbolas. */
export {};
