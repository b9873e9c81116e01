/**
 * Cache keys: the SHA-256 of canonical JSON of all that a result depends on, and nothing else (no title, no position, no
 * path). The parts are kept beside the last result of each node, so that a miss can say what changed.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { SourceFile } from "../../nodes/context.ts";
import { sortKeys } from "../../pipelines/document/doc.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import type { PlannedNode } from "./plan.ts";

const sourceFile = z.strictObject({
  name: z.string(),
  digest: z.string(),
  size: z.number(),
  known: z.unknown().optional(),
});
export const keyPartsSchema = z.strictObject({
  type: z.string(),
  version: z.number(),
  /** With defaults; what a source parameter names stands in `sources`. */
  params: z.record(z.string(), z.unknown()),
  /** By port, one identity a wire: an artifact's digest, or a stream's: its maker's key and port. */
  inputs: z.record(z.string(), z.array(z.string())),
  sources: z.record(z.string(), z.array(sourceFile)),
  /** Versions of native libraries, by name. */
  libraries: z.record(z.string(), z.string()),
  target: z.string().optional(),
});
export type KeyParts = z.output<typeof keyPartsSchema>;

export interface KeyContext {
  readonly sources: Readonly<Record<string, readonly SourceFile[]>>;
  readonly inputs: KeyParts["inputs"];
  readonly libraries: KeyParts["libraries"];
  readonly target: DeviceProfile;
}

export function keyParts(node: PlannedNode, { sources, inputs, libraries, target }: KeyContext): KeyParts {
  const { def } = node;
  const params = Object.fromEntries(Object.entries(node.params).filter(([name]) => !Object.hasOwn(sources, name)));
  const files = Object.fromEntries(
    Object.entries(sources).map(([name, list]) => [
      name,
      list.map(({ name, digest, size, known }) => ({ name, digest, size, ...(known && { known }) })),
    ]),
  );
  const parts = { type: def.type, version: def.version, params, inputs, sources: files, libraries };
  const dependsOnTarget = def.usesTarget || def.effects === "builds" || def.effects === "measures";
  return dependsOnTarget ? { ...parts, target: sha256(target) } : parts;
}

export function cacheKey(parts: KeyParts): string {
  return sha256(parts);
}

function sha256(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sortKeys(value)))
    .digest("hex");
}

/** Why a node runs though it ran before, in words for its badge. */
export function missReason(now: KeyParts, before: KeyParts | undefined): string {
  if (!before || before.type !== now.type) return "first run";
  if (before.version !== now.version) return `new version of ${now.type}`;
  const said = [
    ...changed(now.params, before.params).map((name) => `parameter ${name} changed`),
    ...changed(now.sources, before.sources).map((name) => `the file of ${name} changed`),
    ...changed(now.inputs, before.inputs).map((name) => `input ${name} changed`),
    ...changed(now.libraries, before.libraries).map((name) => `new version of ${name}`),
    ...(now.target === before.target ? [] : ["target changed"]),
  ];
  return said.length > 0 ? said.join(", ") : "its result is no longer in the cache";
}

function changed(now: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  const text = (value: unknown) => JSON.stringify(sortKeys(value));
  return [...names].filter((name) => text(now[name]) !== text(before[name])).sort();
}
