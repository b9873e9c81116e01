/** Pictures as the network sees them, before the numbers are scaled, and the settings that made them. */
import type { FaceProps } from "../face.ts";
import { Thumbnails } from "../pictures.tsx";
import { useHead } from "../useHead.ts";
import { type PreprocessParams, preprocessParams, preprocessSettings } from "./schema.ts";

export function Face({ previews, params, outputs, artifactUrl, large }: FaceProps) {
  const { settings } = outputs;
  // Wired settings win over the parameters, so the artifact says what was done.
  const told = useHead(settings && artifactUrl(settings.digest));
  if (previews.length === 0) return null;
  if (large) return <Thumbnails urls={previews} alt="Network input" large />;
  const used = told === undefined ? undefined : settingsIn(told);
  const shown = used ?? (settings ? undefined : preprocessParams.safeParse(params).data);
  const [url] = previews;
  return (
    <div style={{ display: "flex", gap: 12, width: 216, height: 96 }}>
      {/* biome-ignore lint/performance/noImgElement: faces know nothing of the framework around them. */}
      <img src={url} alt="Network input" style={{ height: 96, maxWidth: 136, objectFit: "contain", borderRadius: 4 }} />
      {shown && (
        <ul
          style={{ margin: 0, padding: 0, listStyle: "none", fontSize: 11, lineHeight: "19px", color: "var(--text-2)" }}
        >
          {facts(shown).map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

function settingsIn(text: string): PreprocessParams | undefined {
  try {
    return preprocessSettings.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function facts({ width, height, mode, interpolation, colorOrder, layout, dtype }: PreprocessParams) {
  const fit = mode.startsWith("letterbox") ? "letterbox" : mode;
  return [`${width} × ${height}`, fit, interpolation, colorOrder, `${layout} ${dtype}`];
}
