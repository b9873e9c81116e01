/** The original and the variant side by side, the better figure bold. Opened: every row, and speed against accuracy. */
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
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96" role="img" aria-label={shown.map(sentence).join("; ")}>
      <text x="146" y="11" textAnchor="end" fill="var(--text-3)" fontSize="11">
        baseline
      </text>
      <text x="216" y="11" textAnchor="end" fill="var(--text-3)" fontSize="11">
        candidate
      </text>
      {shown.map((row, i) => (
        <g key={row.metric} transform={`translate(0 ${29 + i * 19})`} fontSize="12">
          <text fill="var(--text-2)">{shortLabel(row)}</text>
          <Figure row={row} side="baseline" x={146} />
          <Figure row={row} side="candidate" x={216} />
        </g>
      ))}
      <g className="less">
        {shown.map((row, i) => (
          <g key={row.metric} transform={`translate(0 ${4 + i * 24})`}>
            <rect width={length(row, "baseline")} height="8" rx="2" fill="var(--text-3)" fillOpacity={0.6} />
            <rect y="9" width={length(row, "candidate")} height="8" rx="2" fill="var(--accent)" fillOpacity={0.8} />
          </g>
        ))}
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

/** Latency to the right, accuracy up; the candidate in teal, the baseline in grey, estimates hollow. */
function TradeOff({ rows }: Pick<CompareReport, "rows">) {
  const speed = rows.find((row) => row.metric === "profile.p50Ms");
  const accuracy = rows.find((row) => row.metric === "evaluate.mAP50" || row.metric === "evaluate.top1");
  const sides = (["baseline", "candidate"] as const).flatMap((side) => {
    const [x, y] = [speed?.[side], accuracy?.[side]];
    return x === undefined || y === undefined ? [] : [{ side, x, y }];
  });
  if (!speed || !accuracy || sides.length < 2) return null;
  const slowest = Math.max(...sides.map(({ x }) => x)) * 1.15 || 1;
  const high = Math.max(...sides.map(({ y }) => y));
  const low = Math.min(...sides.map(({ y }) => y));
  const room = Math.max(high - low, high * 0.1, 1e-6);
  const at = (x: number, y: number) => ({ cx: 30 + (x / slowest) * 320, cy: 100 - ((y - low) / room) * 70 });
  return (
    <svg viewBox="0 0 360 140" role="img" aria-label="Accuracy over latency" style={{ width: "100%", maxWidth: 360 }}>
      <path d="M30.5 8V120.500H352" stroke="var(--border-strong)" fill="none" />
      {sides.map(({ side, x, y }) => {
        const hue = side === "candidate" ? "var(--accent)" : "var(--text-3)";
        const guessed = speed.provenance[side] === "estimated";
        const { cx, cy } = at(x, y);
        return (
          <g key={side}>
            <circle cx={cx} cy={cy} r={5} fill={guessed ? "var(--surface-1)" : hue} stroke={hue} strokeWidth={2} />
            <text x={cx} y={cy - 10} textAnchor="middle" fill="var(--text-2)" fontSize={11}>
              {side}
            </text>
          </g>
        );
      })}
      <text x="352" y="136" textAnchor="end" fill="var(--text-3)" style={MONO}>
        p50, ms
      </text>
      <text x="30" y="136" fill="var(--text-3)" style={MONO}>
        {accuracy.label}
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
