/** The original and the variant side by side, the better figure bold, and accuracy over speed. Opened: every row. */
import type { FaceProps } from "../face.ts";
import { type CompareReport, compareReport, type ReportRow } from "./report.ts";

const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;
const FIRST = ["evaluate.mAP50", "evaluate.top1", "profile.p50Ms", "profile.sizeBytes", "profile.peakMemoryBytes"];
const ON_NODE = 4;

export function Face({ report, large }: FaceProps) {
  const parsed = compareReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

function Small({ report: { rows, warnings } }: { readonly report: CompareReport }) {
  const shown = FIRST.flatMap((metric) => rows.find((row) => row.metric === metric) ?? []).slice(0, ON_NODE);
  const points = tradeOff(rows);
  const [middle, right] = points ? [106, 146] : [146, 216];
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label={shown.map(sentence).join("; ")}>
      <g className="more" fontSize="11" fill="var(--text-3)" textAnchor="end">
        <text x={middle} y="11">
          {points ? "base" : "baseline"}
        </text>
        <text x={right} y="11">
          {points ? "cand." : "candidate"}
        </text>
      </g>
      {shown.map((row, i) => (
        <g key={row.metric} transform={`translate(0 ${29 + i * 19})`} fontSize={points ? 11 : 12}>
          <text fill="var(--text-2)">{points ? shortLabel(row).replace(/ MB$/, "") : shortLabel(row)}</text>
          <Figure row={row} side="baseline" x={middle} />
          <Figure row={row} side="candidate" x={right} />
        </g>
      ))}
      {points && (
        <g className="more" transform="translate(158 4)">
          <Plot points={points} width={56} height={84} />
        </g>
      )}
      <g className="less">
        {points ? (
          <Plot points={points} width={214} height={92} />
        ) : (
          shown.map((row, i) => (
            <g key={row.metric} transform={`translate(0 ${4 + i * 24})`}>
              <rect width={length(row, "baseline")} height="8" rx="2" fill="var(--text-3)" fillOpacity={0.6} />
              <rect y="9" width={length(row, "candidate")} height="8" rx="2" fill="var(--accent)" fillOpacity={0.8} />
            </g>
          ))
        )}
      </g>
      {warnings.length > 0 && (
        <path className="more" d="M0 11l5-9 5 9z" fill="var(--state-stale)">
          <title>{warnings.join("\n")}</title>
        </path>
      )}
    </svg>
  );
}

type Side = "baseline" | "candidate";

/** Of a bar, against the longer of the two. */
function length(row: ReportRow, side: Side): number {
  const most = Math.max(row.baseline ?? 0, row.candidate ?? 0);
  return most > 0 ? (216 * Math.max(0, row[side] ?? 0)) / most : 0;
}

function Figure({ row, side, x }: { readonly row: ReportRow; readonly side: Side; readonly x: number }) {
  const guessed = row.provenance[side] === "estimated";
  return (
    <text
      x={x}
      textAnchor="end"
      fill={guessed ? "var(--text-2)" : "var(--text)"}
      fontStyle={guessed ? "italic" : "normal"}
      fontWeight={row.best === side && !guessed ? 600 : 400}
      style={{ fontVariantNumeric: "tabular-nums" }}
    >
      {figure(row, side)}
    </text>
  );
}

function Large({ report }: { readonly report: CompareReport }) {
  return (
    <div style={{ display: "grid", gap: 16 }}>
      {report.warnings.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 16, color: "var(--state-stale)" }}>
          {report.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <TradeOff rows={report.rows} />
      <table style={{ fontVariantNumeric: "tabular-nums" }}>
        <thead>
          <tr>
            <th style={{ textAlign: "left" }}>Figure</th>
            <th style={{ textAlign: "right" }}>baseline</th>
            <th style={{ textAlign: "right" }}>candidate</th>
            <th style={{ textAlign: "right" }}>ratio</th>
          </tr>
        </thead>
        <tbody>
          {report.rows.map((row) => (
            <tr key={row.metric}>
              <td>
                {row.label} <span style={{ color: "var(--text-3)" }}>{unitOf(row)}</span>
              </td>
              <Cell row={row} side="baseline" />
              <Cell row={row} side="candidate" />
              <td style={{ textAlign: "right", color: "var(--text-2)" }}>
                {row.ratio === undefined ? "–" : `${row.ratio.toPrecision(3)}×`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ row, side }: { readonly row: ReportRow; readonly side: Side }) {
  const guessed = row.provenance[side] === "estimated";
  return (
    <td
      title={row.provenance[side] ?? "unknown"}
      style={{
        textAlign: "right",
        fontWeight: row.best === side && !guessed ? 600 : 400,
        fontStyle: guessed ? "italic" : "normal",
        color: guessed ? "var(--text-2)" : "var(--text)",
      }}
    >
      {figure(row, side)}
    </td>
  );
}

interface Point {
  readonly side: Side;
  readonly x: number;
  readonly y: number;
  readonly guessed: boolean;
}

/** Latency and accuracy of both sides; undefined where either lacks one. */
function tradeOff(rows: readonly ReportRow[]): readonly Point[] | undefined {
  const speed = rows.find((row) => row.metric === "profile.p50Ms");
  const accuracy = accuracyRow(rows);
  const points = (["baseline", "candidate"] as const).flatMap((side) => {
    const [x, y] = [speed?.[side], accuracy?.[side]];
    return x === undefined || y === undefined ? [] : [{ side, x, y, guessed: speed?.provenance[side] === "estimated" }];
  });
  return points.length === 2 ? points : undefined;
}

function accuracyRow(rows: readonly ReportRow[]): ReportRow | undefined {
  return rows.find((row) => row.metric === "evaluate.mAP50" || row.metric === "evaluate.top1");
}

interface PlotProps {
  readonly points: readonly Point[];
  readonly width: number;
  readonly height: number;
  readonly named?: boolean;
}

/** Latency to the right from 0, accuracy up; the candidate in teal, the baseline in grey, estimates hollow. */
function Plot({ points, width, height, named }: PlotProps) {
  const slowest = Math.max(...points.map(({ x }) => x)) * 1.25 || 1;
  const high = Math.max(...points.map(({ y }) => y));
  const low = Math.min(...points.map(({ y }) => y));
  // A difference of less than a tenth is drawn as small as it is.
  const room = Math.max(high - low, high * 0.1, 1e-6);
  return (
    <g>
      <path d={`M0.5 0V${height - 0.5}H${width}`} stroke="var(--border-strong)" fill="none" />
      {points.map(({ side, x, y, guessed }) => {
        const hue = side === "candidate" ? "var(--accent)" : "var(--text-3)";
        const [cx, cy] = [(x / slowest) * width, height * (0.75 - ((y - low) / room) * 0.5)];
        return (
          <g key={side}>
            <circle cx={cx} cy={cy} r={4} fill={guessed ? "var(--surface-1)" : hue} stroke={hue} strokeWidth={2} />
            {named && (
              <text x={cx} y={side === "candidate" ? cy - 10 : cy + 18} textAnchor="middle" fill="var(--text-2)">
                {side}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function TradeOff({ rows }: Pick<CompareReport, "rows">) {
  const points = tradeOff(rows);
  if (!points) return null;
  return (
    <svg
      viewBox="0 0 360 150"
      role="img"
      aria-label="Accuracy over latency"
      style={{ width: "100%", maxWidth: 360 }}
      fontSize={11}
    >
      <g transform="translate(4 18)">
        <Plot points={points} width={350} height={112} named />
      </g>
      <text x="354" y="146" textAnchor="end" fill="var(--text-3)" style={MONO}>
        p50, ms
      </text>
      <text x="4" y="12" fill="var(--text-3)" style={MONO}>
        ↑ {accuracyRow(rows)?.label}
      </text>
    </svg>
  );
}

function shortLabel(row: ReportRow): string {
  const label = row.label.replace("Latency ", "").replace("Peak memory", "memory");
  return `${label} ${unitOf(row)}`.trim();
}

function unitOf({ unit }: ReportRow): string {
  return unit === "B" ? "MB" : unit;
}

function figure(row: ReportRow, side: Side): string {
  const value = row[side];
  if (value === undefined) return "–";
  const text = numberText(row, value);
  return row.provenance[side] === "estimated" ? `≈ ${text}` : text;
}

/** Fractions without their leading zero, as accuracy is written; bytes in MB. */
function numberText({ unit }: ReportRow, value: number): string {
  if (unit === "") return value.toFixed(3).replace(/^0\./, ".");
  const shown = unit === "B" ? value / 1e6 : value;
  return shown >= 100 ? shown.toFixed(0) : shown.toPrecision(3);
}

function sentence(row: ReportRow): string {
  return `${shortLabel(row)} ${figure(row, "baseline")} to ${figure(row, "candidate")}`;
}
