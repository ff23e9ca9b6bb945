import type { Body } from "../arithmetic.ts";

/** The larger of two numbers, and NaN if the second is: so the last NaN of several comes out, and one that comes first stays. */
export const larger: Body = (m, x, y) => m.select(m.or(m.lt(x!, y!), m.ne(y!, y!)), y!, x!);

/** The smaller of two numbers, with NaN likewise. */
export const smaller: Body = (m, x, y) => m.select(m.or(m.lt(y!, x!), m.ne(y!, y!)), y!, x!);
