/** One tensor cut into several. */
export {};
