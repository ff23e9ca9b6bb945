/** Diagonals and triangles of matrices. */
export {};
