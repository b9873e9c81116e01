"use client";
/** Which model, where it runs, how sure a box must be. The rest comes from the pipeline and is only shown. */
import { ToggleGroup } from "radix-ui";
import { useEffect, useState } from "react";
import { bytes } from "../results/format.ts";
import type { Backend } from "./messages.ts";
import type { LiveModel } from "./useLiveModels.ts";

interface Props {
  readonly models: readonly LiveModel[];
  readonly model: LiveModel;
  readonly onModel: (id: string) => void;
  readonly backend: Backend;
  readonly onBackend: (backend: Backend) => void;
  readonly minScore: number;
  readonly onMinScore: (score: number) => void;
}

export function LiveSettings({ models, model, onModel, backend, onBackend, minScore, onMinScore }: Props) {
  const gpu = useGpu();
  const { preprocess, nms } = model;
  return (
    <section className="card">
      <header>
        <h2>Pipeline</h2>
      </header>
      <div className="live-settings">
        {models.length > 1 && (
          <Choice
            label="Model"
            value={model.id}
            onValue={onModel}
            options={models.map(({ id, modelTitle, artifact }) => ({
              value: id,
              text: artifact?.size === undefined ? modelTitle : `${modelTitle} ${bytes(artifact.size)}`,
            }))}
          />
        )}
        {gpu && (
          <Choice
            label="Runs on"
            value={backend}
            onValue={(value) => onBackend(value === "webgpu" ? "webgpu" : "wasm")}
            options={[
              { value: "wasm", text: "CPU" },
              { value: "webgpu", text: "WebGPU" },
            ]}
          />
        )}
        <label>
          <span className="row">
            <span className="muted grow">Score at least</span> {minScore.toFixed(2)}
          </span>
          <input
            type="range"
            min={Math.min(nms.scoreThreshold, 0.95)}
            max={0.95}
            step={0.01}
            value={minScore}
            onChange={(event) => onMinScore(Number(event.target.value))}
          />
        </label>
        <dl className="facts">
          <dt>Model of</dt>
          <dd className="mono">{`${model.model.node}.${model.model.port}`}</dd>
          <dt>Input</dt>
          <dd>{`${preprocess.width} × ${preprocess.height}, ${preprocess.mode}`}</dd>
          <dt>Colour</dt>
          <dd>{`${preprocess.colorOrder}, ${preprocess.dtype}`}</dd>
          <dt>Decoder</dt>
          <dd>{nms.decoder}</dd>
          <dt>NMS</dt>
          <dd title="The pipeline's own score threshold; the slider raises it here">{`score ≥ ${nms.scoreThreshold}, IoU ≤ ${nms.iouThreshold}`}</dd>
        </dl>
      </div>
    </section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly text: string }[];
  readonly onValue: (value: string) => void;
}

function Choice({ label, value, options, onValue }: ChoiceProps) {
  return (
    <div>
      <span className="muted">{label}</span>
      <ToggleGroup.Root
        type="single"
        className="seg"
        aria-label={label}
        value={value}
        onValueChange={(next) => next && onValue(next)}
      >
        {options.map((option) => (
          <ToggleGroup.Item key={option.value} value={option.value} data-testid={`choose-${option.value}`}>
            {option.text}
          </ToggleGroup.Item>
        ))}
      </ToggleGroup.Root>
    </div>
  );
}

/** Whether this browser gives a graphics processor; many have the interface and no device behind it. */
function useGpu(): boolean {
  const [gpu, setGpu] = useState(false);
  useEffect(() => {
    navigator.gpu?.requestAdapter().then(
      (adapter) => setGpu(adapter !== null),
      () => setGpu(false),
    );
  }, []);
  return gpu;
}
