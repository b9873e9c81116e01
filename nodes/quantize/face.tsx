/** SQNR of each layer, worst first; a click keeps a layer in float. Opened: warnings, what was tried, names, reasons. */
import type { FaceProps } from "../face.ts";
import { type QuantizeReport, quantizeReport, worstFigure } from "./report.ts";

const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;
const FLOOR = 78;
/** A bar of full height, dB. */
const FULL_DB = 50;
/** Below these a layer loses much, or some. */
const POOR_DB = 12;
const FAIR_DB = 20;

export function Face({ report, large, params, setParam }: FaceProps) {
  const parsed = quantizeReport.safeParse(report);
  if (!parsed.success) return null;
  const kept = keptIn(params);
  const toggle = (node: string) =>
    setParam("keepFloat", kept.includes(node) ? kept.filter((name) => name !== node) : [...kept, node]);
  const props = { report: parsed.data, kept, toggle };
  return large ? <Large {...props} /> : <Bars {...props} />;
}

function keptIn({ keepFloat }: FaceProps["params"]): readonly string[] {
  return Array.isArray(keepFloat) ? keepFloat.filter((name) => typeof name === "string") : [];
}

interface BarsProps {
  readonly report: QuantizeReport;
  readonly kept: readonly string[];
  readonly toggle: (node: string) => void;
}

function Bars({ report, kept, toggle }: BarsProps) {
  const layers = report.layers
    .map((layer) => ({ node: layer.node, sqnrDb: worstFigure(layer) }))
    .filter(({ sqnrDb }) => Number.isFinite(sqnrDb))
    .slice(0, 72);
  const step = 216 / Math.max(20, layers.length);
  const predicted = report.sqnr === "predicted";
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96">
      <title>{sentence(report)}</title>
      <path d="M0 26.5h216M0 52.5h216" stroke="var(--border)" />
      {layers.map(({ node, sqnrDb }, i) => {
        const height = Math.min(1, Math.max(0.02, sqnrDb / FULL_DB)) * (FLOOR - 4);
        const chosen = kept.includes(node);
        return (
          // biome-ignore lint/a11y/useSemanticElements: a button cannot stand inside an svg
          <g
            key={node}
            role="button"
            tabIndex={-1}
            aria-pressed={chosen}
            aria-label={`keep ${node} in float`}
            onClick={() => toggle(node)}
            onKeyDown={(event) => event.key === "Enter" && toggle(node)}
            style={{ cursor: "pointer" }}
          >
            <title>{tooltip(node, sqnrDb, { predicted, chosen })}</title>
            <rect x={i * step} y={0} width={step} height={FLOOR} fill="transparent" />
            <rect
              x={i * step}
              y={FLOOR - height}
              width={Math.max(1, step - 1.5)}
              height={height}
              rx={1}
              fill={predicted ? "transparent" : colour(sqnrDb)}
              stroke={colour(sqnrDb)}
              strokeDasharray={predicted ? "2 2" : undefined}
              fillOpacity={0.8}
              opacity={chosen ? 0.3 : 1}
            />
          </g>
        );
      })}
      <path d={`M0 ${FLOOR + 0.5}h216`} stroke="var(--border-strong)" />
      <text y={12} fill="var(--text)" style={MONO} fontStyle={predicted ? "italic" : undefined}>
        {headline(report)}
      </text>
      <text x={216} y={93} textAnchor="end" fill="var(--text-3)" style={MONO}>
        {layers.length > 0 ? `worst first · ${report.layers.length} layers` : `${report.layers.length} layers`}
      </text>
      <text y={93} fill="var(--text-3)" style={MONO}>
        {predicted ? "not measured" : (report.ranges?.method ?? (report.sqnr === "simulated" ? "simulated" : ""))}
      </text>
    </svg>
  );
}

function tooltip(node: string, sqnrDb: number, is: { readonly predicted: boolean; readonly chosen: boolean }): string {
  const how = is.predicted ? "by itself, predicted" : "with all before it, measured";
  return `${node}: ${sqnrDb.toFixed(1)} dB ${how}. Click to ${is.chosen ? "quantize it" : "keep it in float"}.`;
}

function colour(sqnrDb: number): string {
  if (sqnrDb < POOR_DB) return "var(--state-error)";
  return sqnrDb < FAIR_DB ? "var(--state-stale)" : "var(--cat-optimise)";
}

function headline(report: QuantizeReport): string {
  const smaller = `${(report.bytesBefore / report.bytesAfter).toFixed(1)}x smaller`;
  const outputs = Object.values(report.outputs ?? {}).map(({ sqnrDb }) => sqnrDb);
  return outputs.length > 0 ? `${smaller} · ${Math.min(...outputs).toFixed(1)} dB` : smaller;
}

function sentence(report: QuantizeReport): string {
  return `${report.format} for ${report.layout}, ${headline(report)}, ${report.layers.length} layers quantized, ${report.keptFloat.length} kept in float; ${report.sqnr === "predicted" ? "nothing measured" : `outputs ${report.sqnr}`}`;
}

function Large({ report, kept, toggle }: BarsProps) {
  return (
    <section style={{ display: "grid", gap: 16, fontSize: 12 }}>
      <p style={{ margin: 0 }}>{sentence(report)}.</p>
      {report.runsOn && <p style={{ margin: 0 }}>Runs on {report.runsOn}.</p>}
      {report.warnings.map((warning) => (
        <p key={warning} style={{ margin: 0, color: "var(--state-stale)" }}>
          {warning}
        </p>
      ))}
      {report.steps && report.steps.length > 0 && <Steps steps={report.steps} />}
      {report.ranges?.tried && <Tried tried={report.ranges.tried} />}
      {report.keptFloat.length > 0 && (
        <div>
          <h4>Kept in float</h4>
          <ul>
            {report.keptFloat.map(({ node, reason }) => (
              <li key={node}>
                <code>{node}</code>: {reason}
                {kept.includes(node) && (
                  <>
                    {" "}
                    <button type="button" onClick={() => toggle(node)}>
                      Quantize it
                    </button>
                  </>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      {report.notQuantized.length > 0 && (
        <div>
          <h4>Not quantized</h4>
          <ul>
            {report.notQuantized.map(({ opType, reason, count }) => (
              <li key={opType + reason}>
                {count} × {opType}: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <table style={{ width: "100%" }}>
        <thead>
          <tr>
            <th style={{ textAlign: "left" }}>Layer</th>
            <th style={{ textAlign: "right" }}>Bits</th>
            <th colSpan={2} style={{ textAlign: "right" }}>
              By itself, dB
            </th>
            <th style={{ textAlign: "right" }}>With all before it, dB</th>
            <th style={{ textAlign: "right" }}>Keep in float</th>
          </tr>
        </thead>
        <tbody>
          {report.layers.map(({ node, opType, bits, note, ownSqnrDb, cumulativeSqnrDb }) => (
            <tr key={node}>
              <td>
                <code>{node}</code> <span style={{ color: "var(--text-3)" }}>{opType}</span>
              </td>
              <td style={{ textAlign: "right" }} title={note}>
                {bits}
                {note && "*"}
              </td>
              <td style={{ width: 160 }}>
                <Bar sqnrDb={cumulativeSqnrDb ?? ownSqnrDb ?? 0} />
              </td>
              <Decibels value={ownSqnrDb} />
              <Decibels value={cumulativeSqnrDb} />
              <td style={{ textAlign: "right" }}>
                <input
                  type="checkbox"
                  aria-label={`keep ${node} in float`}
                  checked={kept.includes(node)}
                  onChange={() => toggle(node)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Bar({ sqnrDb }: { readonly sqnrDb: number }) {
  return (
    <svg width="160" height="10" aria-hidden="true">
      <rect
        width={Math.min(1, Math.max(0, sqnrDb) / FULL_DB) * 160}
        height="10"
        rx="2"
        fill={colour(sqnrDb)}
        fillOpacity={0.8}
      />
    </svg>
  );
}

function Decibels({ value }: { readonly value: number | undefined }) {
  return <td style={{ textAlign: "right" }}>{value === undefined ? "–" : value.toFixed(1)}</td>;
}

/** What was tried to make the outputs truer, in order, and whether it stayed. */
function Steps({ steps }: { readonly steps: NonNullable<QuantizeReport["steps"]> }) {
  return (
    <table>
      <thead>
        <tr>
          <th style={{ textAlign: "left" }}>Tried</th>
          <th style={{ textAlign: "right" }}>Outputs without, dB (measured)</th>
          <th style={{ textAlign: "right" }}>With it</th>
          <th style={{ textAlign: "left" }}>Kept</th>
        </tr>
      </thead>
      <tbody>
        {steps.map(({ step, beforeDb, afterDb, kept }) => (
          <tr key={step} style={kept ? undefined : { color: "var(--text-3)" }}>
            <td>{step}</td>
            <Decibels value={beforeDb} />
            <Decibels value={afterDb} />
            <td>{kept ? "yes" : "no"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Ways to choose ranges with what the outputs kept by each, the winner first. */
interface TriedProps {
  readonly tried: readonly { readonly method: string; readonly sqnrDb?: number | undefined }[];
}

function Tried({ tried }: TriedProps) {
  return (
    <table>
      <thead>
        <tr>
          <th style={{ textAlign: "left" }}>Ranges by</th>
          <th style={{ textAlign: "right" }}>Outputs, dB (measured)</th>
        </tr>
      </thead>
      <tbody>
        {tried.map(({ method, sqnrDb }, i) => (
          <tr key={method} style={i === 0 ? { fontWeight: 600 } : undefined}>
            <td>{method}</td>
            <Decibels value={sqnrDb} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}
