"use client";
/** The pipeline on this browser's own camera: what it finds, drawn live, and what each stage takes here. */
import { Camera, Film, Square } from "lucide-react";
import { type DragEvent, useEffect, useMemo, useRef, useState } from "react";
import { useDoc } from "../canvas/useEditor.ts";
import { isActive, useRun } from "../runs/runStore.ts";
import { artifactUrl, pickFiles } from "../shell/upload.ts";
import { lastPipeline, openPipeline, useLoadError } from "../shell/usePipelineLoader.ts";
import { LiveFigureCard } from "./LiveFigureCard.tsx";
import { LiveSettings } from "./LiveSettings.tsx";
import { LiveStage } from "./LiveStage.tsx";
import { type Screen, setJob, startLive, stopLive, useLive } from "./live.ts";
import type { Backend, Fault, LiveJob } from "./messages.ts";
import { type LiveModel, useLiveModels } from "./useLiveModels.ts";

const DEFAULT_PIPELINE = "person-detection";
/** A person wants to see the sure ones; an evaluation keeps what nobody is sure of, and its NMS takes longer. */
const MIN_SCORE = 0.25;

export function Webcam() {
  const doc = useDoc();
  const models = useLiveModels();
  const loadError = useLoadError((s) => s.error);
  const [chosen, setChosen] = useState<string>();
  const [backend, setBackend] = useState<Backend>("wasm");
  const [minScore, setMinScore] = useState(MIN_SCORE);
  const { phase, fault } = useLive();
  const running = useRun(isActive);
  const screen = useRef<Screen>(undefined);

  const model = models.find(({ id }) => id === chosen) ?? models.at(-1);
  const lack = doc ? lackOf(doc.name, model, running) : undefined;
  const job = useJob(lack ? undefined : model, backend, minScore);
  useEffect(() => setJob(job), [job]);
  useEffect(() => stopLive, []);
  useEffect(() => {
    if (!lastPipeline()) void openPipeline(DEFAULT_PIPELINE);
  }, []);

  const start = (from: "camera" | File) => {
    if (screen.current && job) void startLive(screen.current, from);
  };
  const onDrop = (event: DragEvent) => {
    const [file] = event.dataTransfer.files;
    event.preventDefault();
    event.stopPropagation();
    if (file) start(file);
  };
  const chooseVideo = () => void pickFiles("video/*").then(([file]) => file && start(file));

  return (
    // A file dropped here is a video to look at, not a node for the canvas.
    <main className="run-page" onDragOver={stopAndTake} onDrop={onDrop}>
      <section className="head">
        <h1>Webcam</h1>
        <span className="muted">{doc && `${doc.name}, as it last ran. `}Frames stay in this page.</span>
        <span className="grow" />
        {phase === "idle" ? (
          <>
            <button type="button" className="btn" disabled={!job} onClick={chooseVideo}>
              <Film className="icon" /> Video file…
            </button>
            <button
              type="button"
              className="btn"
              data-testid="start-camera"
              disabled={!job}
              onClick={() => start("camera")}
            >
              <Camera className="icon" /> Start camera
            </button>
          </>
        ) : (
          <button type="button" className="btn stop" data-testid="stop-camera" onClick={stopLive}>
            <Square className="icon fill-current" /> Stop
          </button>
        )}
      </section>
      <LiveStage screen={screen}>
        <Words fault={fault ?? lack ?? (!doc && loadError ? { message: loadError, fix: undefined } : undefined)} />
        {doc && models.length === 0 && doc.name !== DEFAULT_PIPELINE && (
          <button type="button" className="btn" onClick={() => void openPipeline(DEFAULT_PIPELINE)}>
            Use {DEFAULT_PIPELINE}
          </button>
        )}
      </LiveStage>
      <div className="live-side span-3">
        <LiveFigureCard />
        {model && (
          <LiveSettings
            models={models}
            model={model}
            onModel={setChosen}
            backend={backend}
            onBackend={setBackend}
            minScore={minScore}
            onMinScore={setMinScore}
          />
        )}
      </div>
    </main>
  );
}

function stopAndTake(event: DragEvent) {
  event.preventDefault();
  event.stopPropagation();
}

function Words({ fault }: { readonly fault: Fault | undefined }) {
  if (!fault) return <p className="muted">Start the camera, or drop a video file here.</p>;
  return (
    <p role="alert" data-testid="live-fault">
      <b className="medium">{fault.message}</b> <span className="muted">{fault.fix}</span>
    </p>
  );
}

/** What is missing before frames can run. */
function lackOf(pipeline: string, model: LiveModel | undefined, running: boolean): Fault | undefined {
  if (!model) {
    const message = `${pipeline} has no preprocess, infer and NMS in a row that are free of errors.`;
    return { message, fix: "Wire them on the canvas, or open another pipeline." };
  }
  if (!model.artifact) {
    const message = `There is no model yet: no run of ${pipeline} has made one.`;
    return { message, fix: running ? "A run is under way; it will be here in a moment." : "Run the pipeline once." };
  }
  if (model.artifact.form === "tree") {
    return { message: "This model is too large for a browser.", fix: "Take one of at most 256 MB." };
  }
  return undefined;
}

function useJob(model: LiveModel | undefined, backend: Backend, minScore: number): LiveJob | undefined {
  const digest = model?.artifact?.digest;
  const key = model && digest ? JSON.stringify([digest, model.preprocess, model.nms]) : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` holds all that is read of the model
  return useMemo(() => {
    if (!model || !digest) return undefined;
    const nms = { ...model.nms, scoreThreshold: Math.max(model.nms.scoreThreshold, minScore) };
    return { modelUrl: artifactUrl(digest), preprocess: model.preprocess, nms, backend };
  }, [key, backend, minScore]);
}
