/** Activation functions of neural networks, element by element. */
export {};
