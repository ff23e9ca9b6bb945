/** Axes joined, parted, moved and repeated: compositions of reshape, permute and broadcastTo. */
export {};
