/** One device: its latency and memory for this pipeline where a run told them, else what it is and how it is known. */
import { CircuitBoard, Cpu, Microchip } from "lucide-react";
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { FigureValue } from "../results/FigureValue.tsx";
import type { Figure } from "../results/figures.ts";
import { bytes, milliseconds, NONE, significant } from "../results/format.ts";
import { KindBadge } from "../shell/TargetPicker.tsx";

interface Props {
  readonly target: DeviceProfile & { readonly available: boolean; readonly note?: string };
  readonly chosen: boolean;
  /** Empty where the last run was for another device. */
  readonly figures: readonly Figure[];
  readonly onChoose: (() => void) | undefined;
}

export function TargetCard({ target, chosen, figures, onChoose }: Props) {
  const latency = figures.find((figure) => figure.id === "latency");
  const memory = figures.find((figure) => figure.id === "memory")?.after;
  const Icon = target.access === "local" ? Cpu : target.runtime === "tensorrt" ? Microchip : CircuitBoard;
  const share = memory && target.memoryBytes ? Math.min(1, memory.value / target.memoryBytes) : undefined;
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
      <p className="hint">
        {latency?.before ? `p50, original ${milliseconds(latency.before.value)} ms` : "p50 of the last run here"}
      </p>
      <div className="mem">
        <div className="row">
          <span className="muted">Memory</span>
          <span className="grow" />
          <span>
            {memory ? bytes(memory.value) : NONE}
            {target.memoryBytes !== undefined && ` of ${bytes(target.memoryBytes)}`}
          </span>
        </div>
        <div className="meter">
          <i style={{ width: `${(share ?? 0) * 100}%` }} />
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
  const peaks = rates.flatMap(([name, ops]) => (ops === undefined ? [] : [`${name} ${significant(ops / TERA)}`]));
  const rows: (readonly [string, string])[] = [["Peak, Top/s", peaks.join(" · ")]];
  if (memoryBandwidth !== undefined) rows.push(["Bandwidth", `${significant(memoryBandwidth / GIGA)} GB/s`]);
  return rows;
}
