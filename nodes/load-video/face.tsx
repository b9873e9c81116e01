/** Three frames from across the video. */
import type { FaceProps } from "../face.ts";
import { Thumbnails } from "../pictures.tsx";

export function Face({ previews, large }: FaceProps) {
  return previews.length === 0 ? null : <Thumbnails urls={previews} alt="Frame" large={large} />;
}
