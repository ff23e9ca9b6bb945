/** Logarithms as numbers: those of JavaScript's engines differ in the last bit. */

export const logPi = 1.1447298858494002;
export const logTwoPi = 1.8378770664093456;
export const logFourPi = 2.5310242469692907;
export const logFour = 1.3862943611198906;
