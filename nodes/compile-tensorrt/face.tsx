/** Which precision the builder runs the convolutions in, and how the layers fused; of a kit, what it holds. */
import type { FaceProps } from "../face.ts";
import { type CompileTensorrtReport, compileTensorrtReport, type EngineReport } from "./report.ts";

const HUE = "var(--cat-compile)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ report, large, artifactUrl }: FaceProps) {
  const parsed = compileTensorrtReport.safeParse(report);
  if (!parsed.success) return null;
  const { data } = parsed;
  if (large) return <Large report={data} artifactUrl={artifactUrl} />;
  const [first] = data.engines;
  return first ? <Engine engine={first} more={data.engines.length - 1} /> : <Kit report={data} />;
}

function Engine({ engine, more }: { readonly engine: EngineReport; readonly more: number }) {
  const counts = Object.entries(engine.convolutions).sort(([, a], [, b]) => b - a);
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label={sentence(engine)}>
      <text y="12" fill="var(--text)" fontSize="12" fontWeight={600}>
        {(engine.sizeBytes / 1e6).toPrecision(3)} MB for SM {engine.computeCapability}
        {more > 0 && ` and ${more} more`}
      </text>
      <Shares counts={counts} y={22} />
      <text y="54" fill="var(--text-2)" fontSize="11">
        {counts.map(([precision, count]) => `${count} convs ${precision}`).join(", ") || "no convolutions"}
      </text>
      <Shares counts={layerShares(engine)} y={62} />
      <text y="92" fill="var(--text-3)" style={MONO}>
        {engine.layers.length} layers
      </text>
      <text x="216" y="92" textAnchor="end" fill="var(--text-3)" style={MONO}>
        {engine.buildSeconds.toPrecision(2)} s
      </text>
    </svg>
  );
}

/** Full hue for what is narrowest, fading towards float. */
const STRENGTH: Readonly<Record<string, number>> = { Int4: 1, FP8: 0.9, Int8: 0.8, Half: 0.55, BFloat16: 0.55 };

function Shares({ counts, y }: { readonly counts: readonly (readonly [string, number])[]; readonly y: number }) {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  let x = 0;
  return (
    <g>
      <rect y={y} width="216" height="14" rx="3" fill="var(--surface-3)" />
      {counts.map(([precision, count]) => {
        const width = (216 * count) / total;
        const left = x;
        x += width;
        const strength = STRENGTH[precision];
        return (
          <rect
            key={precision}
            x={left}
            y={y}
            width={Math.max(1, width - 1)}
            height="14"
            rx="3"
            fill={strength === undefined ? "var(--border-strong)" : HUE}
            fillOpacity={strength ?? 1}
          >
            <title>{`${count} ${precision}`}</title>
          </rect>
        );
      })}
    </g>
  );
}

function Kit({ report }: { readonly report: CompileTensorrtReport }) {
  const files = Object.keys(report.kit?.files ?? {});
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label="A build kit; no engine was built">
      <text y="14" fill="var(--text)" fontSize="12" fontWeight={600}>
        Build kit
      </text>
      <text y="30" fill="var(--state-stale)" fontSize="11">
        no engine was built
      </text>
      {files.slice(0, 3).map((file, i) => (
        <text key={file} y={52 + i * 16} fill="var(--text-2)" style={MONO}>
          {file}
        </text>
      ))}
    </svg>
  );
}

type LargeProps = { readonly report: CompileTensorrtReport } & Pick<FaceProps, "artifactUrl">;

function Large({ report, artifactUrl }: LargeProps) {
  const notes = [...report.warnings, ...(report.evidence === undefined ? [] : [report.evidence])];
  return (
    <div style={{ display: "grid", gap: 16 }}>
      {notes.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 16, color: "var(--state-stale)" }}>
          {notes.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      {report.engines.map((engine) => (
        <section key={engine.file} style={{ display: "grid", gap: 8 }}>
          <p style={{ margin: 0 }}>
            <a href={artifactUrl(engine.digest)} download={engine.file}>
              {engine.file}
            </a>
            : {sentence(engine)}, by {report.builder}
          </p>
          <Layers engine={engine} />
        </section>
      ))}
      {report.kit && <KitFiles kit={report.kit} artifactUrl={artifactUrl} />}
    </div>
  );
}

function Layers({ engine }: { readonly engine: EngineReport }) {
  return (
    <table>
      <thead>
        <tr>
          <th style={{ textAlign: "left" }}>Layer</th>
          <th style={{ textAlign: "left" }}>Type</th>
          <th style={{ textAlign: "left" }}>Precision</th>
          <th style={{ textAlign: "left" }}>ONNX nodes</th>
        </tr>
      </thead>
      <tbody>
        {engine.layers.map((layer) => (
          <tr key={`${layer.name} ${layer.origins.join()}`}>
            <td style={MONO}>{layer.name}</td>
            <td style={MONO}>{layer.type}</td>
            <td style={MONO}>{layer.precision || "–"}</td>
            <td style={{ ...MONO, color: "var(--text-3)" }}>{layer.origins.join(", ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type KitFilesProps = { readonly kit: NonNullable<CompileTensorrtReport["kit"]> } & Pick<FaceProps, "artifactUrl">;

function KitFiles({ kit, artifactUrl }: KitFilesProps) {
  return (
    <section style={{ display: "grid", gap: 8 }}>
      <p style={{ margin: 0 }}>No engine was built. Where TensorRT is, these files build it:</p>
      <p style={{ ...MONO, margin: 0, overflowWrap: "anywhere" }}>{kit.path}</p>
      <ul style={{ margin: 0, paddingLeft: 16 }}>
        {Object.entries(kit.files).map(([file, { digest }]) => (
          <li key={file}>
            <a href={artifactUrl(digest)} download={file}>
              {file}
            </a>
          </li>
        ))}
      </ul>
      {Object.entries(kit.commands).map(([version, command]) => (
        <div key={version}>
          <p style={{ margin: 0, color: "var(--text-3)" }}>TensorRT {version}</p>
          <pre style={{ ...MONO, margin: 0, whiteSpace: "pre-wrap" }}>{command}</pre>
        </div>
      ))}
    </section>
  );
}

function layerShares({ layers }: EngineReport): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { precision } of layers) counts.set(precision, (counts.get(precision) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

function sentence(engine: EngineReport): string {
  const counts = Object.entries(engine.convolutions).map(([precision, count]) => `${count} in ${precision}`);
  const convolutions = counts.length > 0 ? `convolutions: ${counts.join(", ")}` : "no convolutions";
  return `compute capability ${engine.computeCapability}, ${engine.layers.length} layers, ${convolutions}, built in ${engine.buildSeconds.toPrecision(2)} s`;
}
