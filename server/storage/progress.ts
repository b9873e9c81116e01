/** How far reading or downloading has come, said at a rate that a screen can follow. */

export interface IngestProgress {
  readonly done: number;
  readonly total?: number;
  readonly unit: "bytes" | "files";
  readonly message: string;
}

/** Calls at most ten times a second. */
export function throttled(progress: ((progress: IngestProgress) => void) | undefined): (now: IngestProgress) => void {
  let saidAt = performance.now();
  return (now) => {
    if (performance.now() - saidAt < 100) return;
    saidAt = performance.now();
    progress?.(now);
  };
}
