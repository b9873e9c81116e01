/** Pictures as the network sees them, before the numbers are scaled. */
import type { FaceProps } from "../face.ts";
import { Thumbnails } from "../pictures.tsx";
import { preprocessParams } from "./schema.ts";

export function Face({ previews, params, large }: FaceProps) {
  if (previews.length === 0) return null;
  if (large) return <Thumbnails urls={previews} alt="Network input" large />;
  const parsed = preprocessParams.safeParse(params);
  const [url] = previews;
  return (
    <div style={{ display: "flex", gap: 12, width: 216, height: 96 }}>
      {/* biome-ignore lint/performance/noImgElement: faces know nothing of the framework around them. */}
      <img src={url} alt="Network input" style={{ height: 96, maxWidth: 136, objectFit: "contain", borderRadius: 4 }} />
      {parsed.success && (
        <dl style={{ margin: 0, fontSize: 11, lineHeight: "19px", color: "var(--text-2)" }}>
          {facts(parsed.data).map((fact) => (
            <dd key={fact} style={{ margin: 0 }}>
              {fact}
            </dd>
          ))}
        </dl>
      )}
    </div>
  );
}

function facts({
  width,
  height,
  mode,
  interpolation,
  colorOrder,
  layout,
  dtype,
}: ReturnType<typeof preprocessParams.parse>) {
  const fit = mode.startsWith("letterbox") ? "letterbox" : mode;
  return [`${width} × ${height}`, fit, interpolation, colorOrder, `${layout} ${dtype}`];
}
