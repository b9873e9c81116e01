/** A picture with its boxes: the frame in which most was found, of the first ones. */
import { parseDetections } from "../detectionsHead.ts";
import type { FaceProps } from "../face.ts";
import { BoxedPicture, summary, sureBoxes } from "../pictures.tsx";
import type { DetectionItem } from "../ports.ts";
import { useHead } from "../useHead.ts";

/** An evaluation keeps boxes that nobody is sure of; a person wants to see the sure ones. */
const MIN_SCORE = 0.25;
const LARGE = 12;

export function Face({ outputs, artifactUrl, upstream, large }: FaceProps) {
  const { detections } = outputs;
  const text = useHead(detections && artifactUrl(detections.digest));
  if (text === undefined) return null;
  const items = parseDetections(text);
  const images = upstream("images");
  const picture = (item: DetectionItem) => (images ? { url: artifactUrl(images.digest, item.frame) } : {});
  if (large) {
    return (
      <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(240px, 1fr))", gap: 8 }}>
        {items.slice(0, LARGE).map((item) => (
          <figure key={item.frame} style={{ margin: 0 }}>
            <BoxedPicture item={item} minScore={MIN_SCORE} {...picture(item)} />
            <figcaption style={{ fontSize: 11, color: "var(--text-2)" }}>
              {item.frame} · {summary(item, MIN_SCORE).join(", ") || "nothing"}
            </figcaption>
          </figure>
        ))}
      </div>
    );
  }
  const item = fullest(items);
  if (!item) return null;
  const found = summary(item, MIN_SCORE);
  return (
    <div style={{ display: "flex", gap: 8, width: 216, height: 96 }}>
      <BoxedPicture item={item} minScore={MIN_SCORE} height={96} {...picture(item)} />
      <ul
        style={{ margin: 0, padding: 0, listStyle: "none", fontSize: 11, lineHeight: "16px", color: "var(--text-2)" }}
      >
        {(found.length > 0 ? found.slice(0, 5) : ["nothing found"]).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

function fullest(items: readonly DetectionItem[]): DetectionItem | undefined {
  const count = (item: DetectionItem) => sureBoxes(item, MIN_SCORE).length;
  return [...items].sort((a, b) => count(b) - count(a))[0];
}
