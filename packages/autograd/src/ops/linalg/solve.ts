/** Linear systems and what follows from their factorization: inverse, determinant, least squares. */
export {};
