/** One tensor's histogram with the chosen clip, and whether the images were enough. Opened: every tensor. */
import { CANDIDATE_METHODS } from "../../onnx/passes/calibrate/table.ts";
import type { FaceProps } from "../face.ts";
import { type CalibrateReport, calibrateReport, type TensorReport } from "./report.ts";

const HUE = "var(--cat-optimise)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;
/** The words stand above the bars, however high these are. */
const HEAD = 16;
const FLOOR = 78;

export function Face({ report, large }: FaceProps) {
  const parsed = calibrateReport.safeParse(report);
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

/** The tensor whose clip cuts the most: the choice that most needs a look. */
function Small({ report }: { readonly report: CalibrateReport }) {
  const tensor = report.tensors[0];
  if (!tensor) return null;
  return (
    <svg
      viewBox="0 0 216 96"
      width="100%"
      height="96"
      role="img"
      aria-label={`${tensor.name}: values from ${figure(tensor.min)} to ${figure(tensor.max)}, kept from ${figure(tensor.lo)} to ${figure(tensor.hi)}; ranges settled after ${report.settledAfter} of ${report.images} images`}
    >
      <text y={10} fill="var(--text)" fontSize={11}>
        clip {figure(tensor.lo)} to {figure(tensor.hi)}
      </text>
      <text x={216} y={10} textAnchor="end" fill="var(--text-2)" fontSize={11}>
        settled at {report.settledAfter}
      </text>
      <g transform={`translate(0 ${HEAD})`}>
        <Histogram tensor={tensor} height={FLOOR - HEAD} />
      </g>
      <path d={`M0 ${FLOOR + 0.5}h216`} stroke="var(--border-strong)" />
      <text y={93} fill="var(--text-3)" style={MONO}>
        {figure(tensor.min)}
      </text>
      <text x={216} y={93} textAnchor="end" fill="var(--text-3)" style={MONO}>
        {figure(tensor.max)}
      </text>
    </svg>
  );
}

/** Bars by the square root of their counts, so that tails are seen; what is cut off is pale. */
function Histogram({ tensor, height }: { readonly tensor: TensorReport; readonly height: number }) {
  const { low, width, counts } = tensor.histogram;
  const step = 216 / Math.max(1, counts.length);
  const most = Math.sqrt(Math.max(1, ...counts));
  const at = (value: number) => Math.min(216, Math.max(0, ((value - low) / width) * step));
  return (
    <g>
      {counts.map((count, i) => {
        const bar = count === 0 ? 0 : Math.max(1, (Math.sqrt(count) / most) * (height - 6));
        const centre = low + (i + 0.5) * width;
        const kept = centre >= tensor.lo && centre <= tensor.hi;
        const x = i * step;
        return (
          <rect
            key={x}
            x={x}
            y={height - bar}
            width={Math.max(0.8, step - 0.6)}
            height={bar}
            fill={HUE}
            fillOpacity={kept ? 0.8 : 0.3}
          />
        );
      })}
      {[tensor.lo, tensor.hi].map((edge) => (
        <path key={edge} d={`M${at(edge)} 2V${height}`} stroke="var(--text)" strokeWidth={1.2} strokeDasharray="3 2" />
      ))}
    </g>
  );
}

function Large({ report }: { readonly report: CalibrateReport }) {
  return (
    <section>
      <p>
        Ranges settled after <b>{report.settledAfter}</b> of {report.images} images;{" "}
        {report.method === "auto"
          ? "quantize chooses the method where it can measure, the clips shown are those of "
          : ""}
        {report.method === "auto" ? CANDIDATE_METHODS[0] : report.method}: {(report.clippedShare * 100).toPrecision(2)}{" "}
        % of the values are clipped.
      </p>
      {report.unsettledTensors.length > 0 && (
        <p>{report.unsettledTensors.length} tensors still widened at the end: more images would tell more.</p>
      )}
      {report.outlierImages.map(({ image, tensors }) => (
        <p key={image}>
          {image} alone stretched {tensors} tensors.
        </p>
      ))}
      <table style={{ width: "100%", fontSize: 12 }}>
        <thead>
          <tr>
            <th style={{ textAlign: "left" }}>Tensor</th>
            <th style={{ textAlign: "left" }}>Values and clip</th>
            <th style={{ textAlign: "right" }}>Range kept</th>
            <th style={{ textAlign: "right" }}>Clipped</th>
            <th style={{ textAlign: "right" }}>Settled</th>
          </tr>
        </thead>
        <tbody>
          {report.tensors.map((tensor) => (
            <tr key={tensor.name}>
              <td style={{ fontFamily: "var(--mono)", fontSize: 11 }}>
                {tensor.name}
                {tensor.response && <span style={{ color: "var(--text-3)" }}> through {tensor.response}</span>}
              </td>
              <td>
                <svg viewBox="0 0 216 32" width="216" height="32" aria-hidden="true">
                  <Histogram tensor={tensor} height={32} />
                </svg>
              </td>
              <td style={{ textAlign: "right" }}>
                {figure(tensor.lo)} to {figure(tensor.hi)}
              </td>
              <td style={{ textAlign: "right" }}>{(tensor.clippedShare * 100).toPrecision(2)} %</td>
              <td style={{ textAlign: "right" }}>{tensor.settledAfter}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function figure(x: number): string {
  return String(Number(x.toPrecision(3)));
}
