// Mutants that cannot be told from the right rule, each with the reason.
export const excuses = [];
