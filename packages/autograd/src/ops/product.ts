/** Products of vectors, matrices and higher tensors, all by one contraction at a time. */
export {};
