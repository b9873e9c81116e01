/** The pictures as drawn. */
import type { FaceProps } from "../face.ts";
import { Thumbnails } from "../pictures.tsx";

export function Face({ previews, large }: FaceProps) {
  return previews.length === 0 ? null : <Thumbnails urls={previews} alt="Annotated picture" large={large} />;
}
