/** What lies in the exports folder, by name: an export is still what a step wrote while its fingerprint is the same. */
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isCode } from "./blobs.ts";

/** Fingerprints (names, sizes and times of all files) of the folder's entries; empty where there is no such folder. */
export async function exportedFingerprints(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await entries(folder)) {
    const hash = createHash("sha256");
    for (const line of await describe(join(folder, name), name)) hash.update(`${line}\n`);
    found[name] = hash.digest("hex");
  }
  return found;
}

async function describe(path: string, name: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [];
  if (!info.isDirectory()) return [`${name} ${info.size} ${info.mtimeMs}`];
  const lines = await Promise.all(
    (await entries(path)).map((entry) => describe(join(path, entry), `${name}/${entry}`)),
  );
  return lines.flat();
}

/** Sorted; hidden ones are unfinished. */
async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}
