export declare function sourceBundle(program: string): Promise<string>;
