/** A frame as the camera's JPEG, blocks and all. */
import sharp from "sharp";
import type { SceneFrame } from "./render.ts";

/** Colour at half resolution, as cameras write it; `quality` 1..100. */
export async function encodeFrame({ rgb, width, height }: SceneFrame, quality: number): Promise<Uint8Array> {
  const image = sharp(rgb, { raw: { width, height, channels: 3 } });
  return image.jpeg({ quality, chromaSubsampling: "4:2:0" }).toBuffer();
}
