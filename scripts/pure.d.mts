export function packed(path: string, code: string): string;
