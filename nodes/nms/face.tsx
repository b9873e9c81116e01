/** A picture with its boxes: the frame in which most was found. Opened: beside those of another model, by a slider. */
import { BoxesFace } from "../boxesFace.tsx";
import type { FaceProps } from "../face.ts";

export function Face(props: FaceProps) {
  return <BoxesFace {...props} detections={props.outputs.detections} reference={props.beside("detections")} />;
}
