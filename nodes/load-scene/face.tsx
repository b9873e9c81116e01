/** Three frames from across the scene, and what the seed drew. */
import { z } from "zod";
import type { FaceProps } from "../face.ts";
import { Thumbnails } from "../pictures.tsx";

const reportSchema = z.object({ place: z.string(), light: z.string(), weather: z.string(), people: z.number() });

export function Face({ previews, report, large }: FaceProps) {
  if (previews.length === 0) return null;
  const parsed = reportSchema.safeParse(report);
  const caption = parsed.success ? captionOf(parsed.data) : "synthetic";
  return <Thumbnails urls={previews} alt="Synthetic frame" large={large} caption={caption} />;
}

function captionOf({ place, light, weather, people }: z.output<typeof reportSchema>): string {
  const who = people === 1 ? "1 person" : `${people} people`;
  return [
    "synthetic",
    place,
    light,
    ...(weather === "rain" && place !== "corridor" && place !== "shop" ? [weather] : []),
    who,
  ].join(" · ");
}
