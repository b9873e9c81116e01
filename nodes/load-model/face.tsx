/**
 * A model at a glance: its silhouette (each bar a stretch of equal feature-map height, as wide as its share of the work)
 * or, where it has none, its operators; then size, work and the shapes it takes and gives. Opened: the whole report.
 */
import type { FaceProps } from "../face.ts";
import { type LoadModelReport, loadModelReport } from "./report.ts";

const HUE = "var(--cat-source)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ report, large }: FaceProps) {
  const parsed = loadModelReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

function Small({ report }: { readonly report: LoadModelReport }) {
  const { inputs, outputs, warnings } = report;
  return (
    <svg viewBox="0 0 216 96" width="216" height="96" role="img" aria-label={sentence(report)}>
      <Picture report={report} height={58} />
      <text y="74" fill="var(--text-2)" fontSize="11">
        {figures(report)}
      </text>
      {warnings.length > 0 && (
        <g fill="var(--state-stale)">
          <title>{warnings.map(({ message }) => message).join("\n")}</title>
          <path d="M196 74l4.500-8.500 4.500 8.500z" />
          <text x="216" y="74" textAnchor="end" fontSize="11">
            {warnings.length}
          </text>
        </g>
      )}
      <text y="91" fill="var(--text-3)" style={MONO}>
        {interfaceText(inputs)}
      </text>
      <text x="216" y="91" textAnchor="end" fill="var(--text-3)" style={MONO}>
        {interfaceText(outputs)}
      </text>
    </svg>
  );
}

function Picture({ report, height }: { readonly report: LoadModelReport; readonly height: number }) {
  if (report.stages.length > 1) return <Silhouette stages={report.stages} height={height} />;
  return <Operators operators={Object.entries(report.operators).slice(0, 4)} />;
}

const GAP = 4;
/** The root of the work, so that a light stage stays visible beside a heavy one. */
function Silhouette({ stages, height }: { readonly stages: LoadModelReport["stages"]; readonly height: number }) {
  const tallest = Math.max(...stages.map((stage) => stage.height));
  const roots = stages.map(({ macs }) => Math.sqrt(macs));
  const total = roots.reduce((sum, root) => sum + root, 0);
  const least = 5;
  const room = 216 - GAP * (stages.length - 1) - least * stages.length;
  let x = 0;
  return (
    <g fill={HUE} fillOpacity={0.8}>
      {stages.map((stage, i) => {
        const width = least + (room * (roots[i] ?? 0)) / total;
        const tall = 6 + (height - 6) * (Math.log2(stage.height + 1) / Math.log2(tallest + 1)) ** 2;
        const left = x;
        x += width + GAP;
        return (
          <rect key={left} x={left} y={(height - tall) / 2} width={width} height={tall} rx={2}>
            <title>{`${stage.channels} channels, height ${stage.height}: ${quantity(stage.macs)} MACs`}</title>
          </rect>
        );
      })}
    </g>
  );
}

function Operators({ operators }: { readonly operators: readonly (readonly [string, number])[] }) {
  const most = operators[0]?.[1] ?? 1;
  return (
    <g>
      {operators.map(([name, count], i) => (
        <g key={name} transform={`translate(0 ${i * 15})`}>
          <rect x={92} y={2} width={Math.max(2, (96 * count) / most)} height={9} rx={2} fill={HUE} fillOpacity={0.8} />
          <text y={10} fontSize={11} fill="var(--text-2)">
            {name.length > 15 ? `${name.slice(0, 14)}…` : name}
          </text>
          <text x={216} y={10} fontSize={11} textAnchor="end" fill="var(--text-3)">
            {count}
          </text>
        </g>
      ))}
    </g>
  );
}

function Large({ report }: { readonly report: LoadModelReport }) {
  const { inputs, outputs, warnings, stages } = report;
  const operators = Object.entries(report.operators);
  return (
    <div style={{ display: "grid", gap: 16 }}>
      {stages.length > 1 && (
        <svg viewBox="0 0 216 64" role="img" aria-label={sentence(report)} style={{ width: "100%", maxHeight: 220 }}>
          <Silhouette stages={stages} height={64} />
        </svg>
      )}
      <p style={{ margin: 0 }}>
        {figures(report)} · {report.nodes} nodes · opset {report.opset} · IR {report.irVersion}
        {report.producer && ` · ${report.producer}`}
      </p>
      <table>
        <tbody>
          {[...inputs.map(row("input")), ...outputs.map(row("output"))].map(({ role, name, dtype, shape }) => (
            <tr key={`${role} ${name}`}>
              <td>{role}</td>
              <td style={MONO}>{name}</td>
              <td style={MONO}>{dtype ?? "–"}</td>
              <td style={MONO}>{shapeText(shape)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {warnings.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 16 }}>
          {warnings.map(({ code, message, fix }) => (
            <li key={code}>
              <span style={{ color: "var(--state-stale)" }}>{message}.</span> {fix}
            </li>
          ))}
        </ul>
      )}
      <svg viewBox={`0 0 216 ${operators.length * 15}`} width="216" height={operators.length * 15} role="img">
        <title>Operators</title>
        <Operators operators={operators} />
      </svg>
    </div>
  );
}

type Value = LoadModelReport["inputs"][number];

function row(role: string) {
  return (value: Value) => ({ role, ...value });
}

function figures({ parameters, macs }: LoadModelReport): string {
  return `${quantity(parameters)} parameters · ${macs === undefined ? "–" : quantity(macs)} MACs`;
}

function sentence(report: LoadModelReport): string {
  return `${figures(report)}; takes ${interfaceText(report.inputs)}, gives ${interfaceText(report.outputs)}`;
}

/** `1×3×352×352`, with `+1` for each further one. */
function interfaceText(values: readonly Value[]): string {
  const [first, ...more] = values;
  if (!first) return "–";
  const text = shapeText(first.shape);
  const short = text.length > 16 ? `${text.slice(0, 15)}…` : text;
  return more.length > 0 ? `${short} +${more.length}` : short;
}

function shapeText(shape: Value["shape"]): string {
  if (!shape) return "–";
  return shape.length === 0 ? "scalar" : shape.map((dim) => dim ?? "?").join("×");
}

/** Three figures and a unit: `12.3 k`, `0.91 M` (parameters are told in millions), `523 M`, `1.20 G`. */
function quantity(count: number): string {
  if (count >= 1e11) return `${Math.round(count / 1e9)} G`;
  if (count >= 999.5e6) return `${(count / 1e9).toPrecision(3)} G`;
  if (count >= 1e5) return `${(count / 1e6).toPrecision(count < 1e6 ? 2 : 3)} M`;
  return count >= 1e3 ? `${(count / 1e3).toPrecision(3)} k` : String(count);
}
