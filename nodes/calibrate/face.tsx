/** The worst tensor's histogram with the chosen clip, and whether the images were enough. Opened: any tensor large, worst first. */
import { useState } from "react";
import { CANDIDATE_METHODS } from "../../onnx/passes/calibrate/table.ts";
import type { FaceProps } from "../face.ts";
import { type CalibrateReport, calibrateReport, type TensorReport } from "./report.ts";

const HUE = "var(--cat-optimise)";
const MONO = { fontFamily: "var(--mono)", fontSize: 11 } as const;
/** The words stand above the bars, however high these are. */
const HEAD = 16;
const FLOOR = 78;

export function Face({ report, large, progress }: FaceProps) {
  const parsed = calibrateReport.safeParse(report);
  if (progress !== undefined) return <Filling message={progress} />;
  if (!parsed.success) return null;
  return large ? <Large report={parsed.data} /> : <Small report={parsed.data} />;
}

/** While the images pass: the histogram that widened last, as the step draws it. */
function Filling({ message }: { readonly message: string }) {
  const [counts = "", tensor = ""] = message.split(/, last to widen: /);
  return (
    <div className="more" style={{ ...MONO, color: "var(--text-2)", overflow: "hidden" }}>
      <p style={{ margin: "4px 0" }}>{counts}</p>
      <p style={{ margin: 0, color: "var(--text)", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{tensor}</p>
    </div>
  );
}

/** The tensor that loses most: the choice that most needs a look. */
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
  const [chosen, choose] = useState<string>();
  const shown = report.tensors.find(({ name }) => name === chosen) ?? report.tensors[0];
  return (
    <section>
      <Coverage report={report} />
      {shown && <Shown tensor={shown} />}
      <table style={{ width: "100%", fontSize: 12 }}>
        <thead>
          <tr>
            <th style={{ textAlign: "left" }}>Tensor, worst first</th>
            <th style={{ textAlign: "left" }}>Values and clip</th>
            <th style={RIGHT}>Range kept</th>
            <th style={RIGHT}>8 bits keep</th>
            <th style={RIGHT}>Clipped</th>
            <th style={RIGHT}>Settled</th>
          </tr>
        </thead>
        <tbody>
          {report.tensors.map((tensor) => (
            <tr key={tensor.name} aria-current={tensor === shown}>
              <td>
                <button type="button" onClick={() => choose(tensor.name)} style={{ ...MONO, ...PLAIN }}>
                  {tensor.name}
                </button>
                {tensor.response && <span style={{ color: "var(--text-3)" }}> through {tensor.response}</span>}
              </td>
              <td>
                <svg viewBox="0 0 216 32" width="216" height="32" aria-hidden="true">
                  <Histogram tensor={tensor} height={32} />
                </svg>
              </td>
              <td style={RIGHT}>
                {figure(tensor.lo)} to {figure(tensor.hi)}
              </td>
              <td style={RIGHT}>{decibels(tensor.sqnrDb)}</td>
              <td style={RIGHT}>{share(tensor.clippedShare)}</td>
              <td style={RIGHT}>{tensor.settledAfter}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Coverage({ report }: { readonly report: CalibrateReport }) {
  const { method, images, settledAfter, clippedShare, unsettledTensors, outlierImages } = report;
  return (
    <>
      <p>
        Ranges settled after <b>{settledAfter}</b> of {images} images;{" "}
        {method === "auto" ? "quantize chooses the method where it can measure, the clips shown are those of " : ""}
        {method === "auto" ? CANDIDATE_METHODS[0] : method}: {share(clippedShare)} of the values are clipped.
      </p>
      {unsettledTensors.length > 0 && (
        <p>{unsettledTensors.length} tensors still widened at the end: more images would tell more.</p>
      )}
      {outlierImages.map(({ image, tensors }) => (
        <p key={image}>
          {image} alone stretched {tensors} tensors.
        </p>
      ))}
    </>
  );
}

/** One tensor large: what was seen, what is kept, and what that costs. */
function Shown({ tensor }: { readonly tensor: TensorReport }) {
  return (
    <figure style={{ margin: "12px 0" }}>
      <svg viewBox="0 0 216 78" width="100%" role="img" aria-label={`Histogram of ${tensor.name} with its clip`}>
        <Histogram tensor={tensor} height={FLOOR} />
      </svg>
      <figcaption style={{ fontSize: 12 }}>
        <span style={MONO}>{tensor.name}</span>: values {figure(tensor.min)} to {figure(tensor.max)}, kept{" "}
        {figure(tensor.lo)} to {figure(tensor.hi)}, or up to ±{figure(tensor.bound)} without a zero point. 8 bits keep{" "}
        {decibels(tensor.sqnrDb)}, or {decibels(tensor.symmetricSqnrDb)} without a zero point
        {tensor.response ? `, seen through ${tensor.response}` : ""}.
      </figcaption>
    </figure>
  );
}

const RIGHT = { textAlign: "right" } as const;
const PLAIN = { background: "none", border: 0, padding: 0, color: "inherit", cursor: "pointer" } as const;

function decibels(db: number | undefined): string {
  return db === undefined ? "all" : `${db.toFixed(1)} dB`;
}

function share(x: number): string {
  return `${(x * 100).toPrecision(2)} %`;
}

function figure(x: number): string {
  return String(Number(x.toPrecision(3)));
}
