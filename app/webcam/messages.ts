/** What the page and its worker say to each other: one question at a time, one answer each. */
import type { NmsParams } from "../../nodes/nms/schema.ts";
import type { DetectionItem } from "../../nodes/ports.ts";
import type { PreprocessParams } from "../../nodes/preprocess/schema.ts";

export type Backend = "wasm" | "webgpu";

/** What is done to each frame. */
export interface LiveJob {
  readonly modelUrl: string;
  readonly preprocess: PreprocessParams;
  readonly nms: NmsParams;
  readonly backend: Backend;
}

export const STAGES = ["read", "preprocess", "infer", "nms"] as const;
/** Milliseconds by stage; `read` is the browser's way from a frame to pixels in memory. */
export type StageTimes = Readonly<Record<(typeof STAGES)[number], number>>;

export type Question =
  | { readonly type: "open"; readonly job: LiveJob }
  | { readonly type: "frame"; readonly bitmap: ImageBitmap; readonly index: number };

export interface Fault {
  readonly message: string;
  readonly fix: string | undefined;
}

export type Answer =
  | { readonly type: "opened"; readonly runtime: string }
  | {
      readonly type: "found";
      readonly item: DetectionItem;
      readonly times: StageTimes;
      /** The frame itself, given back to be shown with its own boxes. */
      readonly bitmap: ImageBitmap;
    }
  | ({ readonly type: "failed" } & Fault);
