"use client";
/** The last result of a node in the inspector: its figures with their kind, its files to download, its log. */
import { Download } from "lucide-react";
import type { NodeDef } from "../../nodes/define.ts";
import { LargeResult } from "../canvas/LargeResult.tsx";
import { duration } from "../canvas/nodeView.ts";
import { useNodeView } from "../canvas/useNodeView.ts";
import { useReport } from "../canvas/useReport.ts";
import { useRun } from "../runs/runStore.ts";
import { sentence } from "../shell/sentence.ts";
import { downloadUrl } from "../shell/upload.ts";
import { factsOf } from "./facts.ts";
import { bytes } from "./format.ts";
import { ProvenanceBadge } from "./ProvenanceBadge.tsx";

const EXTENSION: Readonly<Record<string, string>> = { model: ".onnx", engine: ".engine", detections: ".ndjson" };

export function LastResult({ id, def }: { readonly id: string; readonly def: NodeDef }) {
  const step = useRun(({ run }) => run.steps[id]);
  const view = useNodeView(id);
  const report = useReport(step?.outputs.report?.digest);
  if (!step || (step.state !== "done" && step.state !== "hit" && step.state !== "failed")) return null;
  const outputs = Object.entries(step.outputs);
  return (
    <section data-testid="last-result">
      <h3>
        Last result <ProvenanceBadge provenance={report?.provenance} />
      </h3>
      {view.state === "stale" && <p className="warn mb-2">Stale: {view.why}.</p>}
      {step.error && view.state === "failed" && (
        <p className="mb-2">
          <b className="bad">{sentence(step.error.message).replace(/\.?$/, ".")}</b> {step.error.fix}
        </p>
      )}
      <dl className="facts">
        {step.ms !== undefined && (
          <>
            <dt>Took</dt>
            <dd>{step.state === "hit" ? "from cache" : duration(step.ms)}</dd>
          </>
        )}
        {factsOf(report).map(([name, value]) => (
          <FactRow key={name} name={name} value={value} />
        ))}
      </dl>
      {step.reason && <p className="hint mt-1">{step.reason}</p>}
      {outputs.length > 0 && (
        <div className="chips mt-2">
          <LargeResult id={id} def={def} label="Open large" className="btn small" />
          {outputs.map(([port, output]) => (
            <a
              key={port}
              className="btn small"
              href={downloadUrl(output.digest, fileName(id, port, output))}
              download
              data-testid={`download-${port}`}
            >
              <Download className="icon" /> {port}
              {output.size !== undefined && <span className="hint">{bytes(output.size)}</span>}
            </a>
          ))}
        </div>
      )}
      {step.log.length > 0 && (
        <ul className="log-lines mt-2">
          {step.log.slice(-8).map((line) => (
            <li key={`${line.time}${line.message}`} className={line.level === "warning" ? "warn" : "muted"}>
              {line.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function FactRow({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd title={value}>{value}</dd>
    </>
  );
}

function fileName(id: string, port: string, output: { readonly kind: string; readonly form?: "tree" }): string {
  const extension = output.form === "tree" ? ".tar" : (EXTENSION[output.kind] ?? ".json");
  return `${id}${port === output.kind ? "" : `-${port}`}${extension}`;
}
