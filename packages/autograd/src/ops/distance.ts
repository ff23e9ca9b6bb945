/** Products and distances of vectors in pairs. */

export {};
