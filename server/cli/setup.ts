/** `edgewright setup`: optional parts that are not installed with npm. */
import { UserError } from "../../nodes/context.ts";
import { own } from "../../pipelines/document/own.ts";
import { setupTensorrtRtx } from "../runners/setupTensorrtRtx.ts";
import { setupUltralytics } from "../runners/setupUltralytics.ts";
import { openWorkspace } from "../storage/workspace.ts";
import { workspaceRoot } from "./root.ts";

const PARTS = { "tensorrt-rtx": setupTensorrtRtx, ultralytics: setupUltralytics };

export async function setup(part: string): Promise<void> {
  const set = own(PARTS, part);
  if (!set) {
    const fix = `There is ${Object.keys(PARTS).join(" and ")}.`;
    throw new UserError("unknown-part", `there is no part "${part}" to set up`, fix);
  }
  const { home } = openWorkspace(workspaceRoot());
  await set({ home, say: (line) => console.error(line) });
}
