/** Order along an axis: sorting, the largest few, searching, counting. */
export {};
