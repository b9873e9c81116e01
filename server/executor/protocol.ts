/**
 * What executor and step process say to each other. A job is one stage: nodes in topological order that run as one
 * chain of streams; a step without streams is a stage of one node. Only JSON crosses; bytes go through the blob store.
 */
import type { SourceFile } from "../../nodes/context.ts";
import type { ArtifactRef } from "../../nodes/ports.ts";
import type { RunEvent } from "../../pipelines/document/events.ts";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";

/** Where an input's value comes from. */
export type Binding =
  | { readonly from: "artifact"; readonly ref: ArtifactRef }
  /** A stream of a node of the same job. */
  | { readonly from: "stream"; readonly node: string; readonly port: string }
  /** A stream that an earlier run kept. */
  | { readonly from: "kept"; readonly ref: ArtifactRef };

export interface StageNode {
  readonly id: string;
  readonly type: string;
  /** Of the cache: what a step leaves behind unfinished is found by it. */
  readonly key?: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** One entry a wire; several only where the port takes many. */
  readonly inputs: Readonly<Record<string, readonly Binding[]>>;
  readonly sources: Readonly<Record<string, readonly SourceFile[]>>;
  /**
   * `run` runs it for its result; `replay` only makes its streams again for others, its result is known; `probe` takes
   * the artifacts beside its streams and the first item, and closes them.
   */
  readonly role: "run" | "replay" | "probe";
  /** Stream outputs to keep as artifacts. */
  readonly keep: readonly string[];
}

export interface Job {
  readonly home: string;
  readonly tempDir: string;
  readonly target: DeviceProfile;
  readonly nodes: readonly StageNode[];
  /** Where nodes that export write. */
  readonly exportsDir: string;
  /** Most bytes that the kept tensors of one port may take. */
  readonly tensorBudget: number;
}

export interface StepError {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  /** For the log alone, never shown. */
  readonly stack?: string;
}

export interface Preview {
  readonly digest: string;
  readonly mime: string;
}

export interface StepResult {
  readonly outputs: Readonly<Record<string, ArtifactRef>>;
  readonly previews: readonly Preview[];
  /** Time of this node alone, without waiting for its inputs, milliseconds. */
  readonly ms: number;
}

export type StepMessage =
  | { readonly type: "progress"; readonly node: string; readonly progress: StepProgress }
  | { readonly type: "log"; readonly node: string; readonly level: "info" | "warning"; readonly message: string }
  | { readonly type: "finished"; readonly node: string; readonly result: StepResult }
  /** It ended early, since a node of the job that feeds it failed. */
  | { readonly type: "skipped"; readonly node: string; readonly because: string }
  | { readonly type: "failed"; readonly node: string; readonly error: StepError }
  /** Every node of the job has finished or failed: the process takes the next one. */
  | { readonly type: "idle" };

type ProgressEvent = Extract<RunEvent, { type: "step.progress" }>;
export type StepProgress = Pick<ProgressEvent, "done" | "total" | "unit" | "message">;
