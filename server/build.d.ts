/** Types of build.js, which runs before anything is built and so is plain JavaScript. */
export function bundle(entries: Readonly<Record<string, string>>, outdir: string): Promise<void>;
export function buildServer(): Promise<void>;
