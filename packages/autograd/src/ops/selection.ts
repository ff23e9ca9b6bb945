/** Entries chosen by indices or by a mask. */
export {};
