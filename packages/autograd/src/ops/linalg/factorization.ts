/** Factorizations: each one opaque kernel with a forward rule made of ordinary ops. */
export {};
