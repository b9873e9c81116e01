/** A node's face: the smallest picture that tells its result. `nodes/TYPE/face.tsx` exports `Face`. */
import type { ReactNode } from "react";
import type { ArtifactRef } from "./ports.ts";

export interface FaceProps {
  /** 216 x 96 on the node; opened large it has the room it is given. Zoomed out, text is not drawn, nor what has the
   *  class `more`; what has the class `less` is drawn only then. */
  readonly large: boolean;
  /** Params with defaults, as they stand in the document. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Artifacts of the node's last result, by port. */
  readonly outputs: Readonly<Record<string, Pick<ArtifactRef, "kind" | "digest" | "size">>>;
  /** The JSON of the `report` output; undefined while it loads or where there is none. */
  readonly report: Readonly<Record<string, unknown>> | undefined;
  /** What the running step last said of its progress, in words; undefined where it said none, or does not run. */
  readonly progress?: string | undefined;
  /** Addresses of the pictures that the node's run put out with `ctx.preview`. */
  readonly previews: readonly string[];
  /** Address of an artifact's bytes, or of a file within a tree. */
  readonly artifactUrl: (digest: string, file?: string) => string;
  /** The nearest result of this kind on a wire into this node, or further up: boxes need the images they lie on. */
  readonly upstream: (kind: ArtifactRef["kind"]) => Pick<ArtifactRef, "kind" | "digest" | "size"> | undefined;
  /** The nearest such result made of this node's outputs: an infer's boxes. */
  readonly downstream: FaceProps["upstream"];
  /** The nearest such result that another branch made of the same things: the original's boxes beside the candidate's. */
  readonly beside: FaceProps["upstream"];
  /** Sets a parameter of this node, as an undoable edit (click a layer to keep it in float). */
  readonly setParam: (name: string, value: unknown) => void;
}

export type FaceComponent = (props: FaceProps) => ReactNode;
