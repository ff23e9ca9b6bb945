/** Running reductions along one axis. */
export {};
