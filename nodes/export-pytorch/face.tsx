/** Which architecture came with which weights; random ones are said first of all. Opened: the whole report. */
import type { FaceProps } from "../face.ts";
import { type ExportPytorchReport, exportPytorchReport } from "./report.ts";

const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ report, large }: FaceProps) {
  const parsed = exportPytorchReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

function Small({ report }: { readonly report: ExportPytorchReport }) {
  const { architecture, weights, width, height, opset } = report;
  return (
    <svg viewBox="0 0 216 96" width="216" height="96" role="img" aria-label={`${architecture}, ${weightsText(report)}`}>
      <text y="14" fill="var(--text)" fontSize="12" fontWeight={600}>
        {architecture}
      </text>
      <text y="34" fill={weights ? "var(--text-2)" : "var(--state-stale)"} fontSize="11">
        {weightsText(report)}
      </text>
      <text y="54" fill="var(--text-2)" fontSize="11">
        {figures(report)}
      </text>
      <text y="91" fill="var(--text-3)" style={MONO}>
        1x3x{height}x{width}
      </text>
      <text x="216" y="91" textAnchor="end" fill="var(--text-3)" style={MONO}>
        opset {opset}
      </text>
    </svg>
  );
}

function Large({ report }: { readonly report: ExportPytorchReport }) {
  const { weights, classes } = report;
  const rows: readonly (readonly [string, string])[] = [
    ["Architecture", report.architecture],
    ["Weights", weights ? `${weights.file}, ${weights.tensors} tensors` : "random"],
    ...(weights ? [["SHA-256", weights.sha256] as const] : []),
    ["Size", figures(report)],
    ["Input", `1x3x${report.height}x${report.width}, opset ${report.opset}`],
    ["Exporter", `${report.exporter}: ${report.licence}`],
    ...(classes.length > 0 ? [["Classes", classes.join(", ")] as const] : []),
  ];
  return (
    <div style={{ display: "grid", gap: 12 }}>
      {report.warnings.map((warning) => (
        <p key={warning} style={{ margin: 0, color: "var(--state-stale)" }}>
          {warning}.
        </p>
      ))}
      <table>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th style={{ textAlign: "left", verticalAlign: "top", paddingRight: 16 }}>{name}</th>
              <td style={{ overflowWrap: "anywhere" }}>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function weightsText({ weights }: ExportPytorchReport): string {
  return weights ? `weights of ${weights.file}` : "random weights: accuracy means nothing";
}

function figures({ parameters, fileBytes }: ExportPytorchReport): string {
  return `${(parameters / 1e6).toPrecision(3)} M parameters, ${(fileBytes / 1e6).toPrecision(3)} MB`;
}
