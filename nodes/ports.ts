/**
 * What flows over wires.
 *
 * Terminology: a *port* is a named input or output of a node, never a position. An *artifact* is immutable bytes named
 * by their SHA-256. A *stream* passes items one by one, with back-pressure, so that a video needs no more memory than
 * a picture; what must outlive the run (detections, the outputs of inference) the executor keeps as an artifact.
 */
import type { HostTensors } from "../onnx/ir/hostTensor.ts";

export const PORT_KINDS = [
  "model",
  "engine",
  "calibration",
  "images",
  "settings",
  "report",
  "frames",
  "tensors",
  "detections",
] as const;
export type PortKind = (typeof PORT_KINDS)[number];
export const STREAM_KINDS = ["frames", "tensors", "detections"] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

export function isStreamKind(kind: PortKind): kind is StreamKind {
  return kind === "frames" || kind === "tensors" || kind === "detections";
}

/** `form: "tree"` is a folder: `digest` names its manifest (`{files: {NAME: {digest, size}}}`), `size` sums its files. */
export interface ArtifactRef<K extends PortKind = PortKind> {
  readonly kind: K;
  readonly digest: string;
  readonly size: number;
  readonly form?: "tree";
}

/** `total` is the number of items where it is known beforehand; absent for a camera. */
export type Stream<T> = AsyncIterable<T> & { readonly total?: number };

export interface FrameInfo {
  /** File name of an image, or `frame-000012` of a video: the `frame` of detections. */
  readonly id: string;
  readonly index: number;
  /** Source pixels. */
  readonly width: number;
  readonly height: number;
}

/** One picture: RGB, 8 bits, height x width x 3. */
export interface Frame extends FrameInfo {
  readonly rgb: Uint8Array;
}

/** From source pixels to the network's input: x' = x * scaleX + offsetX, likewise y. */
export interface FrameTransform {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
  /** Size of the network's input, pixels. */
  readonly inputWidth: number;
  readonly inputHeight: number;
}

/**
 * Tensors of one frame, by the name of the model's input or output. A preprocess does not know the model, so it names
 * its one tensor ""; `feedsFor` (nodes/streams.ts) gives it the name of the model's only feed.
 */
export interface TensorItem {
  readonly frame: FrameInfo;
  /** Absent where the tensors do not come from a picture. */
  readonly transform?: FrameTransform;
  readonly tensors: HostTensors;
}

export interface Detection {
  readonly classId: number;
  readonly class: string;
  readonly score: number;
  /** x, y of the top-left corner, width, height; source pixels. */
  readonly box: readonly [number, number, number, number];
}

/** One line of a detections file. */
export interface DetectionItem {
  readonly frame: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
}

export interface StreamItems {
  frames: Frame;
  tensors: TensorItem;
  detections: DetectionItem;
}

/** What a node's `run` gets or gives at a port of kind K. */
export type PortValue<K extends PortKind> = K extends StreamKind ? Stream<StreamItems[K]> : ArtifactRef<K>;
