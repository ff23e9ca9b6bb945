/** Functions of whole matrices: powers, the exponential, products by blocks, distances. */
export {};
