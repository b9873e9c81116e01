/** How much of the graph is left, and what was fused into operators of ONNX Runtime's own. */
import type { FaceProps } from "../face.ts";
import { type CompileOnnxruntimeReport, compileOnnxruntimeReport } from "./report.ts";

const HUE = "var(--cat-compile)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ report, large }: FaceProps) {
  const parsed = compileOnnxruntimeReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

function Small({ report }: { readonly report: CompileOnnxruntimeReport }) {
  const { nodesBefore, nodesAfter, level } = report;
  const own = fusedCount(report);
  const share = nodesAfter === 0 ? 0 : own / nodesAfter;
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label={sentence(report)}>
      <text y="12" fill="var(--text)" fontSize="12" fontWeight={600}>
        {nodesBefore} to {nodesAfter} nodes
      </text>
      <rect y="20" width="216" height="14" rx="3" fill="var(--surface-3)" />
      <rect
        y="20"
        width={nodesBefore === 0 ? 0 : Math.min(1, nodesAfter / nodesBefore) * 216}
        height="14"
        rx="3"
        fill={HUE}
        fillOpacity={0.8}
      />
      <text y="58" fill="var(--text-3)" style={MONO}>
        fused {Math.round(share * 100)} %
      </text>
      <text x="216" y="58" textAnchor="end" fill="var(--text-3)" style={MONO}>
        level {level}
      </text>
      <rect y="66" width="216" height="14" rx="3" fill="var(--border-strong)" />
      <rect y="66" width={share * 216} height="14" rx="3" fill={HUE} fillOpacity={0.8} />
    </svg>
  );
}

function Large({ report }: { readonly report: CompileOnnxruntimeReport }) {
  const names = [...new Set([...Object.keys(report.opsBefore), ...Object.keys(report.opsAfter)])].sort();
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <p style={{ margin: 0 }}>{sentence(report)}</p>
      <Warnings warnings={report.warnings} />
      <table>
        <thead>
          <tr>
            <th style={{ textAlign: "left" }}>Operator</th>
            <th style={{ textAlign: "right" }}>before</th>
            <th style={{ textAlign: "right" }}>after</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <td style={MONO}>{name}</td>
              <td style={{ textAlign: "right" }}>{report.opsBefore[name] ?? "–"}</td>
              <td style={{ textAlign: "right" }}>{report.opsAfter[name] ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Warnings({ warnings }: { readonly warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <ul style={{ margin: 0, paddingLeft: 16, color: "var(--state-stale)" }}>
      {warnings.map((warning) => (
        <li key={warning}>{warning}</li>
      ))}
    </ul>
  );
}

function fusedCount({ fused }: CompileOnnxruntimeReport): number {
  return Object.values(fused).reduce((sum, count) => sum + count, 0);
}

function sentence(report: CompileOnnxruntimeReport): string {
  const { nodesBefore, nodesAfter, level, runtime, bytesBefore, bytesAfter } = report;
  const mb = (bytes: number) => (bytes / 1e6).toPrecision(3);
  return `${runtime}, level ${level}: ${nodesBefore} to ${nodesAfter} nodes, ${fusedCount(report)} of them fused; ${mb(bytesBefore)} to ${mb(bytesAfter)} MB`;
}
