/** Overlapping windows along an axis, and their adjoint. */
export {};
