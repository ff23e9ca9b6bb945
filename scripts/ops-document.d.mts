interface Source {
  readonly path: string;
  readonly text: string;
}
export function opsSources(root: string): Source[];
export function opsDocument(from: {
  readonly registry: ReadonlyMap<string, unknown>;
  readonly formula: (...operands: never[]) => string;
  readonly sources: readonly Source[];
}): string;
