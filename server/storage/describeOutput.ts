/** An artifact as `run.finished` gives it: with a path that opens as it is and, for reports, its JSON. */
import { z } from "zod";
import type { Artifacts } from "../../nodes/context.ts";
import { PORT_KINDS } from "../../nodes/ports.ts";
import type { RunOutput } from "../../pipelines/document/events.ts";

const kind = z.enum(PORT_KINDS);

export async function describeOutput(artifacts: Artifacts, ref: RunOutput): Promise<RunOutput> {
  const { digest, size = 0, form } = ref;
  const path = await artifacts.path({ kind: kind.parse(ref.kind), digest, size, ...(form && { form }) });
  if (ref.kind !== "report") return { ...ref, path };
  return { ...ref, path, value: z.json().parse(await artifacts.readJson(ref)) };
}
