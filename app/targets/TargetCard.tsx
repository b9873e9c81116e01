/** One device: its latency and memory for this pipeline where a run told them, else what it is and how it is known. */
import { CircuitBoard, Cpu, Microchip } from "lucide-react";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { FigureValue } from "../results/FigureValue.tsx";
import type { Value } from "../results/figures.ts";
import { bytes, milliseconds, NONE, significant } from "../results/format.ts";
import type { TargetFigures } from "../results/useTargetFigures.ts";
import { KindBadge } from "../shell/TargetPicker.tsx";

interface Props {
  readonly target: DeviceProfile & { readonly available: boolean; readonly note?: string };
  readonly chosen: boolean;
  /** Of the last run, predicted for this device where it ran on another. */
  readonly figures: TargetFigures;
  readonly onChoose: (() => void) | undefined;
}

export function TargetCard({ target, chosen, figures, onChoose }: Props) {
  const latency = figures.figures.find((figure) => figure.id === "latency");
  const memory = figures.figures.find((figure) => figure.id === "memory")?.after;
  const used = memory?.value ?? figures.modelBytes;
  const Icon = target.access === "local" ? Cpu : target.runtime === "tensorrt" ? Microchip : CircuitBoard;
  const share = used !== undefined && target.memoryBytes ? Math.min(1, used / target.memoryBytes) : 0;
  return (
    <article className={`card device ${chosen ? "chosen" : ""}`} data-testid={`target-${target.id}`}>
      <header>
        <Icon className="icon" />
        <h2 className="grow cut">{target.name}</h2>
        <KindBadge measured={target.available} />
      </header>
      <p className="sub">{partsOf(target).join(" · ")}</p>
      <div className="fig">
        <FigureValue before={undefined} after={latency?.after} show={milliseconds} unit="ms" />
      </div>
      <p className="hint">{latency?.before ? `p50; original ${approx(latency.before)} ms` : "p50"}</p>
      <div className="mem">
        <div className="row">
          <span className="muted">Memory</span>
          <span className="grow" />
          <span>
            {memory ? (
              bytes(memory.value)
            ) : used === undefined ? (
              NONE
            ) : (
              <i className="predicted">≈ {bytes(used)} + runtime</i>
            )}
            {target.memoryBytes !== undefined && ` of ${bytes(target.memoryBytes)}`}
          </span>
        </div>
        <div className="meter">
          <i style={{ width: `${share * 100}%` }} />
        </div>
      </div>
      <dl className="facts">
        {peaksOf(target).map(([name, value]) => (
          <Peak key={name} name={name} value={value} />
        ))}
        <dt>Basis</dt>
        <dd title={target.source}>{target.source}</dd>
      </dl>
      <footer>
        <span className={`dot ${target.available ? "on" : ""}`} />
        <span className="hint cut" title={target.note}>
          {target.available ? "here" : "predicted only"}
        </span>
        <span className="grow" />
        {chosen ? (
          <span className="badge accent">chosen</span>
        ) : (
          <button type="button" className="btn small" disabled={!onChoose} onClick={onChoose}>
            Choose
          </button>
        )}
      </footer>
    </article>
  );
}

function Peak({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function partsOf(target: DeviceProfile): string[] {
  return [
    target.cores === undefined ? "" : `${target.cores} cores`,
    target.powerW === undefined ? "" : `${target.powerW} W`,
    target.computeCapability === undefined ? "" : `SM ${target.computeCapability}`,
    target.runtime,
  ].filter(Boolean);
}

const GIGA = 1e9;
const TERA = 1e12;

function peaksOf({ peakOps, memoryBandwidth }: DeviceProfile): (readonly [string, string])[] {
  const rates = [
    ["FP32", peakOps.f32],
    ["FP16", peakOps.f16],
    ["INT8", peakOps.i8],
  ] as const;
  const rows = rates.flatMap(([name, ops]) =>
    ops === undefined ? [] : [[`Peak ${name}`, `${significant(ops / TERA)} Top/s`] as const],
  );
  if (memoryBandwidth === undefined) return rows;
  return [...rows, ["Bandwidth", `${significant(memoryBandwidth / GIGA)} GB/s`]];
}

const approx = ({ value, provenance }: Value) => `${provenance === "estimated" ? "≈ " : ""}${milliseconds(value)}`;
