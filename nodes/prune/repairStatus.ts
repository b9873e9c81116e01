/** What the report says of a repair. */
import type { RepairedLayer } from "../../onnx/passes/prune/repair.ts";
import type { PruneReport } from "./report.ts";

/** Below this a refit hangs on chance. */
const FEW_ITEMS = 8;

export interface RepairSetting {
  /** As the user set it. */
  readonly wanted: boolean;
  /** Items to refit on. */
  readonly items: number;
}

export function willRepair({ wanted, items }: RepairSetting): boolean {
  return wanted && items > 0;
}

export function repairStatus(setting: RepairSetting, layers: readonly RepairedLayer[]): PruneReport["repair"] {
  if (willRepair(setting)) return { status: "done", items: setting.items, layers: [...layers] };
  const reason = setting.wanted ? "no tensors are wired to refit on" : "repair is off";
  return { status: "skipped", reason, items: 0, layers: [] };
}

export function repairNotes(setting: RepairSetting): readonly string[] {
  if (!willRepair(setting) || setting.items >= FEW_ITEMS) return [];
  return [`Repaired on ${setting.items} item(s) only: wire more, 40 serve well.`];
}
