/** The first pictures, and how many there are with how many labels. */
import type { FaceProps } from "../face.ts";
import { INDEX_FILE, imagesIndexSchema } from "../imagesIndex.ts";
import { Thumbnails } from "../pictures.tsx";
import { useHead } from "../useHead.ts";

/** An index longer than this is not read for a line of words. */
const MOST_BYTES = 8 * 2 ** 20;

export function Face({ outputs, previews, artifactUrl, large }: FaceProps) {
  const { images } = outputs;
  const text = useHead(images && artifactUrl(images.digest, INDEX_FILE), MOST_BYTES);
  if (previews.length === 0 && !text) return null;
  return <Thumbnails urls={previews} alt="Image" large={large} {...captioned(text)} />;
}

function captioned(text: string | undefined): { readonly caption?: string } {
  const parsed = text === undefined ? undefined : imagesIndexSchema.safeParse(JSON.parse(text || "null"));
  if (!parsed?.success) return {};
  const { images, classes } = parsed.data;
  const labels = images.reduce((sum, image) => sum + (image.labels?.length ?? 0), 0);
  const parts = [`${images.length} ${images.length === 1 ? "image" : "images"}`];
  if (labels > 0) parts.push(`${labels} labels`);
  if (classes) parts.push(`${classes.length} ${classes.length === 1 ? "class" : "classes"}`);
  return { caption: parts.join(" · ") };
}
