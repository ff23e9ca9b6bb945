/** Special functions: the error function's kin, gamma and its kin. */
export {};
