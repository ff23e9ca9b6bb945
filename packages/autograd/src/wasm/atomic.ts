/** Instructions on an int32 of shared memory by name, as `Code.atomic` takes them (threads proposal of WebAssembly). */

/** Wakes so many threads that wait at the address; the address and the number are on the stack. */
export const notify = 0x00;
/** Waits while the address holds the number, for so many nanoseconds (int64). */
export const wait = 0x01;
export const load = 0x10;
export const store = 0x17;
/** Adds, and gives what was there before. */
export const add = 0x1e;
