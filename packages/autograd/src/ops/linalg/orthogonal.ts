/** Factorization into an orthogonal and a triangular matrix. */

export {};
