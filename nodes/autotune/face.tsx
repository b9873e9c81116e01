/** Truth over speed of all that was measured, the front joined; a click takes a point. Opened: figures, tries, layers. */
import { scaleLinear } from "d3-scale";
import type { FaceProps } from "../face.ts";
import { type AutotuneReport, autotuneReport, type PointReport } from "./report.ts";

const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;

export function Face({ report, large, params, setParam }: FaceProps) {
  const parsed = autotuneReport.safeParse(report);
  if (!parsed.success) return null;
  const taken = Array.isArray(params.take) && params.take.length > 0;
  const props = { report: parsed.data, taken, take: (names: readonly string[]) => setParam("take", [...names]) };
  return large ? <Large {...props} /> : <Small {...props} />;
}

interface FrontProps {
  readonly report: AutotuneReport;
  /** Whether a point is taken by hand. */
  readonly taken: boolean;
  readonly take: (names: readonly string[]) => void;
}

function Small({ report, taken, take }: FrontProps) {
  return (
    <svg viewBox="0 0 216 96" width="100%" height="96">
      <title>{sentence(report, taken)}</title>
      <Plot report={report} take={take} box={{ left: 4, top: 18, width: 208, height: 60 }} />
      <text y={12} fill="var(--text)" style={MONO} fontStyle={report.provenance === "estimated" ? "italic" : undefined}>
        {headline(report.chosen)}
      </text>
      <text y={93} fill="var(--text-3)" style={MONO}>
        {taken ? "taken by hand" : report.objective}
      </text>
      <text x={216} y={93} textAnchor="end" fill="var(--text-3)" style={MONO}>
        {truth(report.chosen)}
      </text>
    </svg>
  );
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Of a point whose outputs are equal. */
const EQUAL_DB = 60;

function truthDb({ sqnrDb }: PointReport): number {
  return Math.min(EQUAL_DB, Math.max(0, sqnrDb ?? EQUAL_DB));
}

function scalesOf({ front, beaten }: AutotuneReport, box: Box) {
  const all = [...front, ...beaten];
  const speeds = all.map(({ speedup }) => speedup);
  const x = scaleLinear([Math.min(...speeds, 1), Math.max(...speeds, 1.05)], [box.left + 6, box.left + box.width - 6]);
  const y = scaleLinear([Math.min(...all.map(truthDb)), EQUAL_DB], [box.top + box.height - 6, box.top + 6]);
  return { all, x, y };
}

function Axes({ report, box }: { report: AutotuneReport; box: Box }) {
  const { x, y } = scalesOf(report, box);
  const foot = box.top + box.height;
  return (
    <g fill="var(--text-3)" style={MONO}>
      {y.ticks(5).map((db) => (
        <g key={db}>
          <path d={`M${box.left} ${y(db)}h${box.width}`} stroke="var(--border)" />
          <text x={box.left - 6} y={y(db) + 4} textAnchor="end">
            {db === EQUAL_DB ? "equal" : db}
          </text>
        </g>
      ))}
      {x.ticks(6).map((speed) => (
        <text key={speed} x={x(speed)} y={foot + 14} textAnchor="middle">
          {speed.toFixed(2)}x
        </text>
      ))}
      <text x={box.left} y={foot + 30}>
        dB
      </text>
      <text x={box.left + box.width} y={foot + 30} textAnchor="end">
        speed against the given model (dashed: as fast)
      </text>
    </g>
  );
}

function Plot({ report, take, box }: { report: AutotuneReport; take: FrontProps["take"]; box: Box }) {
  const { all, x, y } = scalesOf(report, box);
  const line = report.front.map((point) => `${x(point.speedup)},${y(truthDb(point))}`).join(" ");
  return (
    <g>
      <path d={`M${x(1)} ${box.top}v${box.height}`} stroke="var(--border-strong)" strokeDasharray="2 3" />
      <polyline points={line} fill="none" stroke="var(--cat-optimise)" strokeOpacity={0.5} />
      {all.map((point) => {
        const chosen = point.id === report.chosen.id;
        const onFront = report.front.includes(point);
        return (
          // biome-ignore lint/a11y/useSemanticElements: a button cannot stand inside an svg
          <g
            key={point.id}
            role="button"
            tabIndex={-1}
            aria-pressed={chosen}
            aria-label={`take ${point.id}`}
            onClick={() => take(point.take)}
            onKeyDown={(event) => event.key === "Enter" && take(point.take)}
            style={{ cursor: "pointer" }}
          >
            <title>{`${point.id}: ${headline(point)}, ${truth(point)}. Click to take it.`}</title>
            <circle cx={x(point.speedup)} cy={y(truthDb(point))} r={9} fill="transparent" />
            <circle
              cx={x(point.speedup)}
              cy={y(truthDb(point))}
              r={chosen ? 5 : 3}
              fill={onFront ? "var(--cat-optimise)" : "var(--text-3)"}
              fillOpacity={onFront ? 0.9 : 0.5}
              stroke={chosen ? "var(--text)" : "none"}
              strokeWidth={1.5}
            />
          </g>
        );
      })}
    </g>
  );
}

function headline({ speedup, sizeShare }: PointReport): string {
  return `${speedup.toFixed(2)}x faster · ${(1 / sizeShare).toFixed(1)}x smaller`;
}

function truth({ mAP, sqnrDb }: PointReport): string {
  if (mAP !== undefined) return `mAP ${mAP.toFixed(3)}`;
  return sqnrDb === undefined ? "equal outputs" : `${sqnrDb.toFixed(1)} dB`;
}

function sentence({ front, chosen, provenance, lossOf }: AutotuneReport, taken: boolean): string {
  const how = taken ? "taken by hand" : "chosen";
  return `${front.length} points on the front, ${provenance}; ${how}: ${chosen.id}, ${headline(chosen)}, ${chosen.lossPercent.toFixed(2)} % loss of ${lossOf}`;
}

const LARGE_BOX: Box = { left: 48, top: 8, width: 584, height: 236 };

function Large({ report, taken, take }: FrontProps) {
  const counts = { int8: 0, weights: 0 };
  for (const { form } of report.layers) counts[form]++;
  return (
    <section style={{ display: "grid", gap: 16, fontSize: 12 }}>
      <p style={{ margin: 0 }}>
        {sentence(report, taken)}.{" "}
        {taken && (
          <button type="button" onClick={() => take([])}>
            Search again
          </button>
        )}
      </p>
      {report.warnings.map((warning) => (
        <p key={warning} style={{ margin: 0, color: "var(--state-stale)" }}>
          {warning}
        </p>
      ))}
      <svg viewBox="0 0 640 280" width="100%" role="img" aria-label="SQNR over speed">
        <Axes report={report} box={LARGE_BOX} />
        <Plot report={report} take={take} box={LARGE_BOX} />
      </svg>
      <Points report={report} take={take} />
      {report.rewrites.length > 0 && (
        <p style={{ margin: 0 }}>
          Exact rewrites tried:{" "}
          {report.rewrites
            .map((r) => `${r.rewrite} (${r.count}): ${r.speedup.toFixed(2)}x, ${r.kept ? "kept" : "left out"}`)
            .join("; ")}
          .
        </p>
      )}
      {report.ranges[0] && (
        <p style={{ margin: 0 }}>Ranges by {report.ranges.map(({ method }) => method).join(", then ")}.</p>
      )}
      {report.steps.length > 0 && (
        <p style={{ margin: 0 }}>
          {report.steps
            .map(
              (s) =>
                `${s.step}: ${s.beforeDb?.toFixed(1)} to ${s.afterDb?.toFixed(1)} dB, ${s.kept ? "kept" : "left out"}`,
            )
            .join("; ")}
          .
        </p>
      )}
      <details>
        <summary>
          {counts.int8} layers in integers, {counts.weights} with their weight alone in 8 bits
        </summary>
        <ul>
          {report.layers.map(({ node, opType, form }) => (
            <li key={node}>
              <code>{node}</code> {opType}: {form}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

function Points({ report, take }: Pick<FrontProps, "report" | "take">) {
  const right = { textAlign: "right" } as const;
  return (
    <table style={{ fontVariantNumeric: "tabular-nums" }}>
      <thead>
        <tr>
          <th style={{ textAlign: "left" }}>Point</th>
          <th style={right}>Speed</th>
          <th style={right}>ms</th>
          <th style={right}>Size</th>
          <th style={right}>SQNR, dB</th>
          <th style={right}>mAP</th>
          <th style={right}>Loss, %</th>
          <th />
        </tr>
      </thead>
      <tbody>
        {[...report.front, ...report.beaten].map((point) => (
          <tr
            key={point.id}
            style={{
              fontWeight: point.id === report.chosen.id ? 600 : 400,
              color: report.front.includes(point) ? "var(--text)" : "var(--text-3)",
            }}
          >
            <td>{point.id}</td>
            <td style={right}>{point.speedup.toFixed(2)}x</td>
            <td style={right}>{point.ms.toFixed(2)}</td>
            <td style={right}>{(100 * point.sizeShare).toFixed(0)} %</td>
            <td style={right}>{point.sqnrDb?.toFixed(1) ?? "equal"}</td>
            <td style={right}>{point.mAP?.toFixed(3) ?? "–"}</td>
            <td style={right}>
              {point.lossPercent.toFixed(2)} ± {point.lossError.toFixed(2)}
            </td>
            <td>
              <button type="button" onClick={() => take(point.take)}>
                Take
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
