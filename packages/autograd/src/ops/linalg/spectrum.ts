/** Eigenvalues and singular values, and what is made of them. */

export {};
