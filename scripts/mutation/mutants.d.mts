export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly rule: string;
  readonly kind: string;
  readonly text: string;
}
export function mutantsOf(
  file: string,
  source: string,
  first: number,
): { readonly mutants: readonly Mutant[]; readonly text: string };
