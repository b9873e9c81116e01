/**
 * What a step that was ended left behind, under its cache key: the next run of the same step on the same inputs goes on
 * from it. It lies among the temporary files, so that `clean` takes what nobody came back for, and goes when the step's
 * result is in the cache.
 */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkpoint } from "../../nodes/context.ts";

export function openCheckpoint(home: string, key: string): Checkpoint {
  const path = checkpointPath(home, key);
  return {
    async read() {
      try {
        return await readFile(path);
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(bytes) {
      const temp = join(home, "tmp", randomBytes(9).toString("hex"));
      await writeFile(temp, bytes);
      await rename(temp, path);
    },
  };
}

export async function removeCheckpoint(home: string, key: string): Promise<void> {
  await rm(checkpointPath(home, key), { force: true });
}

/** For a node whose result nobody keeps. */
export const noCheckpoint: Checkpoint = { read: async () => undefined, write: async () => {} };

function checkpointPath(home: string, key: string): string {
  return join(home, "tmp", `checkpoint-${key}`);
}
