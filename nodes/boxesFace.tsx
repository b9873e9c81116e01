/** What the faces of infer and NMS share: the frame in which most was found; opened, frames with a before/after slider. */
import { useState } from "react";
import { parseDetections } from "./detectionsHead.ts";
import type { FaceProps } from "./face.ts";
import { BoxedPicture, summary, sureBoxes } from "./pictures.tsx";
import type { ArtifactRef, DetectionItem } from "./ports.ts";
import { useHead } from "./useHead.ts";

/** An evaluation keeps boxes that nobody is sure of; a person wants to see the sure ones. */
const MIN_SCORE = 0.25;
const LARGE = 12;
const LINES = { margin: 0, padding: 0, listStyle: "none", fontSize: 11, lineHeight: "16px", color: "var(--text-2)" };

type Stored = Pick<ArtifactRef, "digest"> | undefined;
interface Props extends Pick<FaceProps, "artifactUrl" | "upstream" | "large"> {
  readonly detections: Stored;
  /** Of another model on the same frames. */
  readonly reference?: Stored;
}

export function BoxesFace({ detections, reference, artifactUrl, upstream, large }: Props) {
  const text = useHead(detections && artifactUrl(detections.digest));
  const before = useHead(large && reference ? artifactUrl(reference.digest) : undefined);
  if (text === undefined) return null;
  const items = parseDetections(text);
  const images = upstream("images");
  const urlOf = ({ frame }: DetectionItem) => images && artifactUrl(images.digest, frame);
  if (large) return <Frames items={items.slice(0, LARGE)} before={parseDetections(before ?? "")} urlOf={urlOf} />;
  const item = fullest(items);
  if (!item) return null;
  const found = summary(item, MIN_SCORE);
  return (
    <div style={{ display: "flex", gap: 8, width: 216, height: 96 }}>
      <BoxedPicture item={item} minScore={MIN_SCORE} height={96} url={urlOf(item)} />
      <ul className="more" style={LINES}>
        {(found.length > 0 ? found.slice(0, 5) : ["nothing found"]).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </div>
  );
}

interface FramesProps {
  readonly items: readonly DetectionItem[];
  readonly before: readonly DetectionItem[];
  readonly urlOf: (item: DetectionItem) => string | undefined;
}

/** One slider for all: left of it the other model's boxes, right of it this one's. */
function Frames({ items, before, urlOf }: FramesProps) {
  const [percent, setPercent] = useState(50);
  const referenceOf = new Map(before.map((item) => [item.frame, item]));
  const shared = items.some(({ frame }) => referenceOf.has(frame));
  return (
    <div style={{ display: "grid", gap: 12 }}>
      {shared && (
        <label style={{ display: "flex", gap: 8, alignItems: "center" }}>
          other model
          <input
            type="range"
            min={0}
            max={100}
            value={percent}
            aria-label="Share of each picture that shows the other model's boxes, in percent"
            onChange={(event) => setPercent(Number(event.target.value))}
            style={{ flex: 1, accentColor: "var(--accent)" }}
          />
          this one
        </label>
      )}
      <div style={{ display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(240px, 1fr))", gap: 8 }}>
        {items.map((item) => {
          const was = referenceOf.get(item.frame);
          return (
            <figure key={item.frame} style={{ margin: 0 }}>
              <div style={{ position: "relative" }}>
                <BoxedPicture item={item} minScore={MIN_SCORE} url={urlOf(item)} />
                {was && (
                  <div style={{ position: "absolute", inset: 0, clipPath: `inset(0 ${100 - percent}% 0 0)` }}>
                    <BoxedPicture item={was} minScore={MIN_SCORE} url={urlOf(was)} />
                  </div>
                )}
                {was && (
                  <div
                    style={{
                      position: "absolute",
                      inset: `0 auto 0 ${percent}%`,
                      borderLeft: "2px solid var(--accent)",
                    }}
                  />
                )}
              </div>
              <figcaption style={{ fontSize: 11, color: "var(--text-2)" }}>
                {item.frame} · {was && `${found(was)} → `}
                {found(item)}
              </figcaption>
            </figure>
          );
        })}
      </div>
    </div>
  );
}

const found = (item: DetectionItem) => summary(item, MIN_SCORE).join(", ") || "nothing";

function fullest(items: readonly DetectionItem[]): DetectionItem | undefined {
  const count = (item: DetectionItem) => sureBoxes(item, MIN_SCORE).length;
  return [...items].sort((a, b) => count(b) - count(a))[0];
}
