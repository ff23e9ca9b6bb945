/** Instructions on int32 by name, as `Code.op` takes them. */

export const eqz = 0x45;
export const eq = 0x46;
export const ne = 0x47;
export const lessSigned = 0x48;
export const lessUnsigned = 0x49;
export const atLeastSigned = 0x4e;
export const add = 0x6a;
export const sub = 0x6b;
export const mul = 0x6c;
export const and = 0x71;
export const xor = 0x73;
export const shl = 0x74;
export const shrSigned = 0x75;
export const shrUnsigned = 0x76;
/** To int64, with the sign. */
export const extended = 0xac;
