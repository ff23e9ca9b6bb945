/** Elements brought together at places that a tensor names. */

export {};
