/** mAP and the precision-recall curve; opened, the curves of the most labelled classes and a table of all. */
import type { FaceProps } from "../face.ts";
import { type EvaluateReport, evaluateReport } from "./report.ts";

const HUE = "var(--cat-report)";

export function Face({ report, large }: FaceProps) {
  const parsed = evaluateReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

function Small({ report }: { readonly report: EvaluateReport }) {
  const figures = figuresOf(report).slice(0, 3);
  const curve = report.precisionRecall?.mean;
  return (
    <svg
      viewBox="0 0 216 96"
      width="216"
      height="96"
      role="img"
      aria-label={figures.map((f) => f.join(" ")).join(", ")}
    >
      {figures.map(([name, value], i) => (
        <g key={name} transform={`translate(0 ${i * 32})`}>
          <text y={10} fontSize={11} fill="var(--text-3)">
            {name}
          </text>
          <text y={i === 0 ? 28 : 25} fontSize={i === 0 ? 20 : 13} fontWeight={600} fill="var(--text)">
            {value}
          </text>
        </g>
      ))}
      {curve && (
        <g transform="translate(88 4)">
          <Curve values={curve} width={128} height={74} strong />
          <path d="M0 0V74H128" fill="none" stroke="var(--border-strong)" />
          <text x={128} y={88} fontSize={11} textAnchor="end" fill="var(--text-3)">
            recall 0 to 1
          </text>
        </g>
      )}
    </svg>
  );
}

interface CurveProps {
  readonly values: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly strong?: boolean;
  readonly name?: string;
}

function Curve({ values, width, height, strong = false, name }: CurveProps) {
  const last = values.length - 1;
  const points = values.map((p, i) => `${((i / last) * width).toFixed(1)} ${((1 - p) * height).toFixed(1)}`);
  return (
    <g>
      {name && <title>{name}</title>}
      {strong && <path d={`M0 ${height}L${points.join("L")}L${width} ${height}Z`} fill={HUE} fillOpacity={0.16} />}
      <path
        d={`M${points.join("L")}`}
        fill="none"
        stroke={HUE}
        strokeOpacity={strong ? 0.9 : 0.35}
        strokeWidth={strong ? 1.8 : 1.2}
      />
    </g>
  );
}

function Large({ report }: { readonly report: EvaluateReport }) {
  const rows = Object.entries(report.perClass ?? {}).sort(([, a], [, b]) => b.AP - a.AP);
  return (
    <div style={{ display: "grid", gap: 16 }}>
      <p style={{ margin: 0 }}>
        {figuresOf(report)
          .map(([name, value]) => `${name} ${value}`)
          .join(" · ")}{" "}
        · {report.images} images
      </p>
      {report.precisionRecall && <Curves curves={report.precisionRecall} />}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th style={{ textAlign: "left" }}>Class</th>
              <th style={{ textAlign: "right" }}>AP</th>
              <th style={{ textAlign: "right" }}>AP50</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, { AP, AP50 }]) => (
              <tr key={name}>
                <td>{name}</td>
                <td style={{ textAlign: "right" }}>{fixed(AP)}</td>
                <td style={{ textAlign: "right" }}>{fixed(AP50)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

const TICKS = [0, 0.25, 0.5, 0.75, 1];

function Curves({ curves }: { readonly curves: NonNullable<EvaluateReport["precisionRecall"]> }) {
  return (
    <svg
      viewBox="-36 -8 420 252"
      role="img"
      aria-label="Precision over recall at IoU .50"
      style={{ width: "100%", maxWidth: 420 }}
    >
      {TICKS.map((tick) => (
        <g key={tick} fontSize={11} fill="var(--text-3)">
          <path d={`M0 ${(1 - tick) * 210}H372`} stroke="var(--border)" />
          <text x={-6} y={(1 - tick) * 210 + 4} textAnchor="end">
            {fixed(tick, 2)}
          </text>
          <text x={tick * 372} y={226} textAnchor="middle">
            {fixed(tick, 2)}
          </text>
        </g>
      ))}
      {Object.entries(curves.perClass).map(([name, values]) => (
        <Curve key={name} name={name} values={values} width={372} height={210} />
      ))}
      <Curve name="Mean over classes" values={curves.mean} width={372} height={210} strong />
      <text x={372} y={241} fontSize={11} textAnchor="end" fill="var(--text-3)">
        precision over recall · IoU .50 · bold: mean
      </text>
    </svg>
  );
}

function figuresOf({ mAP, mAP50, top1, top5, agreement }: EvaluateReport): (readonly [string, string])[] {
  const named = [
    ["mAP50", mAP50],
    ["mAP", mAP],
    ["top-1", top1],
    ["top-5", top5],
    ["matched of reference", agreement?.recall],
    ["matched of candidate", agreement?.precision],
    ["mean IoU", agreement?.meanIoU],
  ] as const;
  return named.flatMap(([name, value]) => (value === undefined ? [] : [[name, fixed(value)] as const]));
}

/** `.518`: fractions bear no leading zero. */
function fixed(value: number, digits = 3): string {
  return value.toFixed(digits).replace(/^0\./, ".");
}
