/** What nodes, artifacts and targets look like from outside. */
import { z } from "zod";
import type { NodeDef } from "../../nodes/define.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import type { Services } from "../services.ts";
import { readTree } from "../storage/artifacts.ts";

/** A definition as JSON: its params as JSON Schema. */
export function describeNode({ params, requires: _, check: __, migrations: ___, ...def }: NodeDef) {
  return { ...def, params: z.toJSONSchema(params, { io: "input" }) };
}

export async function describeArtifact({ blobs }: Services, digest: string) {
  const { size } = await blobs.locate(digest);
  const files = await readTree(blobs, digest);
  return { digest, size, ...(files && { files: { ...files } }) };
}

/** A predicted target has figures, but nothing runs there. */
export function describeTarget(profile: DeviceProfile) {
  const predicted = profile.access === "predicted";
  const note = predicted ? "Figures are predicted; inference runs on this machine." : undefined;
  return {
    ...profile,
    available: !predicted,
    provenance: predicted ? ("estimated" as const) : ("measured" as const),
    ...(note !== undefined && { note }),
  };
}
