/** How long inference takes: the distribution with its p50 and p99, or an estimate with its interval. Opened: operators. */
import type { FaceProps } from "../face.ts";
import { type ProfileReport, profileReport } from "./report.ts";

const HUE = "var(--cat-report)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;
const FLOOR = 78;

export function Face({ report, large }: FaceProps) {
  const parsed = profileReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Latency report={parsed.data} height={96} />;
}

function Latency({ report, height }: { readonly report: ProfileReport; readonly height: number }) {
  return (
    <svg viewBox="0 0 216 96" width="100%" height={height} role="img" aria-label={sentence(report)}>
      {report.histogram ? <Distribution report={report} histogram={report.histogram} /> : <Estimate report={report} />}
      <path d={`M0 ${FLOOR + 0.5}h216`} stroke="var(--border-strong)" />
    </svg>
  );
}

interface DistributionProps {
  readonly report: ProfileReport;
  readonly histogram: NonNullable<ProfileReport["histogram"]>;
}

function Distribution({ report, histogram: { startMs, binMs, counts } }: DistributionProps) {
  const width = 216 / counts.length;
  const most = Math.max(...counts, 1);
  const at = (ms: number) => Math.min(215, ((ms - startMs) / (binMs * counts.length)) * 216);
  const p99 = report.p99Ms;
  return (
    <g>
      <g fill={HUE} fillOpacity={0.8}>
        {counts.map((count, i) => {
          const height = count === 0 ? 0 : Math.max(1.5, (count / most) * (FLOOR - 16));
          const x = i * width;
          return <rect key={x} x={x} y={FLOOR - height} width={Math.max(1, width - 1)} height={height} rx={0.5} />;
        })}
      </g>
      <Tick x={at(report.p50Ms)} y={12} text={`p50 ${ms(report.p50Ms)}`} />
      {p99 !== undefined && <Tick x={at(p99)} y={48} text={`p99 ${ms(p99)}`} />}
      <text y={92} fill="var(--text-3)" style={MONO}>
        {ms(startMs)} ms
      </text>
      <text x={216} y={92} textAnchor="end" fill="var(--text-3)" style={MONO}>
        {report.throughput === undefined ? "" : `${report.throughput.toPrecision(3)}/s`}
      </text>
    </g>
  );
}

function Tick({ x, y, text }: { readonly x: number; readonly y: number; readonly text: string }) {
  const left = x > 140;
  return (
    <g>
      <path d={`M${x} ${y - 8}V${FLOOR + 4}`} stroke="var(--text-2)" strokeWidth={1.5} strokeDasharray="3 2" />
      <text x={left ? x - 5 : x + 5} y={y} textAnchor={left ? "end" : "start"} fill="var(--text)" style={MONO}>
        {text}
      </text>
    </g>
  );
}

/** Hollow, with a dashed whisker: nobody measured it. */
function Estimate({ report }: { readonly report: ProfileReport }) {
  const [low, high] = report.interval.p50Ms ?? [report.p50Ms, report.p50Ms];
  const scale = 190 / (high * 1.05);
  return (
    <g>
      <path d={`M${low * scale} 48H${high * scale}`} stroke="var(--text-3)" strokeDasharray="3 3" strokeWidth={1.5} />
      <path d={`M${low * scale} 42v12M${high * scale} 42v12`} stroke="var(--text-3)" strokeWidth={1.5} />
      <circle cx={report.p50Ms * scale} cy={48} r={5} fill="var(--surface-1)" stroke={HUE} strokeWidth={2} />
      <text y={20} fill="var(--text-2)" fontSize={12} fontStyle="italic">
        ≈ {ms(report.p50Ms)} ms ({ms(low)}–{ms(high)})
      </text>
      <text y={92} fill="var(--text-3)" style={MONO}>
        estimated, {report.target.length > 20 ? `${report.target.slice(0, 19)}…` : report.target}
      </text>
    </g>
  );
}

const SHOWN = 30;

function Large({ report }: { readonly report: ProfileReport }) {
  const slowest = [...report.perOp].sort((a, b) => b.ms - a.ms).slice(0, SHOWN);
  const total = report.perOp.reduce((sum, op) => sum + op.ms, 0);
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <div style={{ maxWidth: 320 }}>
        <Latency report={report} height={142} />
      </div>
      <p style={{ margin: 0 }}>{sentence(report)}</p>
      <table>
        <tbody>
          {slowest.map(({ node, opType, ms: time }) => (
            <tr key={`${node} ${opType}`}>
              <td style={MONO}>{opType}</td>
              <td style={{ ...MONO, color: "var(--text-3)" }}>{node}</td>
              <td style={{ width: 120 }}>
                <svg width="120" height="10" aria-hidden="true">
                  <rect
                    width={Math.max(1, (120 * time) / (slowest[0]?.ms || 1))}
                    height="10"
                    rx="2"
                    fill={HUE}
                    fillOpacity={0.8}
                  />
                </svg>
              </td>
              <td style={{ textAlign: "right" }}>{ms(time)} ms</td>
              <td style={{ textAlign: "right", color: "var(--text-3)" }}>{Math.round((100 * time) / total)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      {report.perOp.length > SHOWN && (
        <p style={{ margin: 0, color: "var(--text-3)" }}>{report.perOp.length - SHOWN} faster ones are not shown.</p>
      )}
      <Conditions conditions={report.conditions} />
    </div>
  );
}

function Conditions({ conditions }: Pick<ProfileReport, "conditions">) {
  return (
    <table>
      <tbody>
        {Object.entries(conditions).map(([name, value]) => (
          <tr key={name}>
            <td style={{ color: "var(--text-3)" }}>{name}</td>
            <td style={MONO}>{typeof value === "object" ? JSON.stringify(value) : String(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sentence(report: ProfileReport): string {
  const { provenance, target, iterations, threads, runtime, peakMemoryBytes } = report;
  const parts = [
    `p50 ${provenance === "estimated" ? "≈ " : ""}${ms(report.p50Ms)} ms on ${target}, ${provenance}`,
    report.p99Ms === undefined ? "" : `p99 ${ms(report.p99Ms)} ms`,
    report.cpuMs === undefined ? "" : `${ms(report.cpuMs)} ms of CPU time a run`,
    iterations === undefined ? "" : `${iterations} runs`,
    threads === undefined ? "" : `${threads} ${threads === 1 ? "thread" : "threads"}`,
    runtime ?? "",
    peakMemoryBytes === undefined ? "" : `${Math.round(peakMemoryBytes / 2 ** 20)} MB at most`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
