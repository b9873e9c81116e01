/** Which server holds a workspace: `.edgewright/server.json`, `{pid, port}`. One of a dead process counts for nothing. */
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isAlive } from "./alive.ts";
import { isCode } from "./blobs.ts";

const holderSchema = z.object({ pid: z.int().positive(), port: z.int().positive() });
export type LockHolder = z.output<typeof holderSchema>;

/** The living server of this workspace, if there is one. */
export function lockHolder(home: string): LockHolder | undefined {
  try {
    const path = join(home, "server.json");
    const holder = holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return isAlive(holder.pid, statSync(path).mtimeMs) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the workspace for this process. Returns the holder instead where another one lives. */
export function takeLock(
  home: string,
  port: number,
): { readonly release: () => void } | { readonly holder: LockHolder } {
  const path = join(home, "server.json");
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify({ pid: process.pid, port }), { flag: "wx" });
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (!isCode(error, "EEXIST")) throw error;
      const holder = lockHolder(home);
      if (holder) return { holder };
      rmSync(path, { force: true });
    }
  }
}
