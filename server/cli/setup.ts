/** `edgewright setup`: optional parts that are not installed with npm. */
import { UserError } from "../../nodes/context.ts";
import { setupTensorrtRtx } from "../runners/setupTensorrtRtx.ts";
import { openWorkspace } from "../storage/workspace.ts";
import { workspaceRoot } from "./root.ts";

export async function setup(part: string): Promise<void> {
  if (part !== "tensorrt-rtx") {
    throw new UserError("unknown-part", `there is no part "${part}" to set up`, "There is tensorrt-rtx.");
  }
  const { home } = openWorkspace(workspaceRoot());
  await setupTensorrtRtx({ home, say: (line) => console.error(line) });
}
