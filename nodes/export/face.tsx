/** The folder an export writes, and the main things in it. */
import type { FaceProps } from "../face.ts";

const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ params, upstream }: FaceProps) {
  // An engine is wired here; a model may lie further up.
  const main = upstream("engine") ? ["model.engine"] : upstream("model") ? ["model.onnx"] : [];
  const lines = [...main, "README.md"];
  const name = String(params.name);
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label={`exports/${name}: ${lines.join(", ")}`}>
      <path
        d="M1 5.500a2.500 2.500 0 0 1 2.500-2.500h4l2 2.500h6a2.500 2.500 0 0 1 2.500 2.500v6.500a2.500 2.500 0 0 1-2.500 2.500h-12a2.500 2.500 0 0 1-2.500-2.500z"
        fill="var(--cat-report)"
        fillOpacity={0.8}
      />
      <text x="26" y="14" fill="var(--text)" fontSize="12" fontWeight={600}>
        exports/{name.length > 22 ? `${name.slice(0, 21)}…` : name}
      </text>
      {lines.map((file, i) => (
        <text key={file} x="26" y={34 + i * 17} fill="var(--text-2)" style={MONO}>
          {file}
        </text>
      ))}
    </svg>
  );
}
