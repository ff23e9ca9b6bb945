/** Where elements are: their places, and places for them in a sorted list. */

export {};
