/** Indexing as in NumPy: `x.at(...)`. */
export {};
