export declare const browser: string | undefined;
export declare const missing: string;
export declare function openPage(
  html: string,
  window?: { readonly width?: number; readonly height?: number },
): { readonly document: string; readonly stderr: string };
export declare function visitPage(script: string, options?: { readonly page?: string }): Promise<string>;
