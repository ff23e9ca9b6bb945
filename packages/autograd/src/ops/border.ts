/** Padding by other than zeros, and entries rolled around. */
export {};
