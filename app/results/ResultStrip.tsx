"use client";
/** The product's promise, always in sight: before and after of this pipeline on its target. */
import { useQuery } from "@tanstack/react-query";
import { Check, ChevronDown, TriangleAlert, X } from "lucide-react";
import Link from "next/link";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { editor, useDoc } from "../canvas/useEditor.ts";
import { useProblems } from "../canvas/useNodeView.ts";
import { follow, isActive, useRun } from "../runs/runStore.ts";
import { Tip } from "../shell/Tip.tsx";
import { trpc } from "../trpc.ts";
import { FigureValue } from "./FigureValue.tsx";
import { type Figure, type ResultFigures, resultFigures } from "./figures.ts";
import { bytes, change, fraction, megabytes, milliseconds } from "./format.ts";
import { useTargetFigures } from "./useTargetFigures.ts";

export function ResultStrip() {
  const doc = useDoc();
  const run = useRun((s) => s.run);
  const { data: targets } = useQuery(trpc.targets.list.queryOptions());
  const figuresFor = useTargetFigures();
  if (!doc) return <section className="strip" />;
  const target = targets?.find((t) => t.id === doc.target);
  const shown = target ? figuresFor(target) : { ...resultFigures({}), predicted: false };
  const { figures, accuracy, predicted } = shown;
  return (
    <section className="strip" aria-label="Result" data-testid="result-strip">
      <div className="strip-head">
        <span className="l">Before and after on</span>
        <span className="cut" title={predicted ? `Measured on ${run.target}; predicted for ${doc.target}` : undefined}>
          {doc.target}
          {predicted && <small className="predicted"> not {run.target}</small>}
        </span>
      </div>
      {figures.map((figure) => (
        <FigureCell key={figure.id} figure={figure} accuracy={accuracy} memory={target?.memoryBytes}>
          {figure.id === "latency" && !predicted && <Disturbed {...shown} />}
        </FigureCell>
      ))}
      <div className="grow items-end">
        <RunPicker pipeline={doc.name} />
      </div>
      <Problems />
    </section>
  );
}

/** How many nodes are not ready to run; a click goes to the first. */
function Problems() {
  const problems = useProblems().filter((p) => p.severity === "error" && p.nodeId !== undefined);
  const nodes = [...new Set(problems.flatMap((p) => p.nodeId ?? []))];
  const [first] = nodes;
  if (first === undefined) return null;
  const onlyFiles = problems.every((p) => p.code === "missing-source");
  const one = nodes.length === 1;
  const what = onlyFiles ? `need${one ? "s" : ""} a file` : `${one ? "is" : "are"} not ready`;
  return (
    <div>
      <button
        type="button"
        className={`badge ${onlyFiles ? "" : "warn"}`}
        data-testid="problems"
        onClick={() => editor.select([first])}
      >
        {nodes.length} {one ? "node" : "nodes"} {what}
      </button>
    </div>
  );
}

/** Above this share other programs may have changed the latency. */
const BUSY = 0.2;

/** Says that the timing was disturbed, and what the processor time tells instead; the reader judges. */
function Disturbed({ othersShare = 0, cpuRatio }: ResultFigures) {
  if (othersShare <= BUSY) return null;
  const others = `Other programs took ${Math.round(othersShare * 100)} % of the CPU`;
  const text = cpuRatio ? `${others}; CPU time ×${cpuRatio.toFixed(2)}` : others;
  return (
    <Tip text={text} side="top">
      <button type="button" className="warn" aria-label={text} data-testid="disturbed">
        <TriangleAlert className="icon" />
      </button>
    </Tip>
  );
}

interface CellProps {
  readonly children?: ReactNode;
  readonly figure: Figure;
  readonly accuracy: string;
  readonly memory: number | undefined;
}

function FigureCell({ figure, accuracy, memory, children }: CellProps) {
  const { before, after } = figure;
  const both = before && after ? ([before.value, after.value] as const) : undefined;
  switch (figure.id) {
    case "size":
      return (
        <div data-testid="figure-size">
          <span className="l">Size</span>
          <FigureValue before={before} after={after} show={megabytes} unit="MB">
            {both && <small className={both[1] < both[0] ? "good" : "muted"}> {change(...both)}</small>}
          </FigureValue>
        </div>
      );
    case "accuracy":
      return (
        <div data-testid="figure-accuracy">
          <span className="l">{accuracy}</span>
          <FigureValue before={before} after={after} show={fraction} unit="" />
        </div>
      );
    case "latency":
      return (
        <div data-testid="figure-latency">
          <span className="l">Latency p50</span>
          <FigureValue before={before} after={after} show={milliseconds} unit="ms">
            {both && <small className={both[1] < both[0] ? "good" : "muted"}> {change(...both)}</small>}
            {children}
          </FigureValue>
        </div>
      );
    case "memory": {
      const fits = after && memory !== undefined ? after.value <= memory : undefined;
      return (
        <div data-testid="figure-memory">
          <span className="l">Peak memory</span>
          <FigureValue before={before} after={after} show={megabytes} unit="MB">
            {after && memory !== undefined && <small className="muted"> of {bytes(memory)}</small>}
            {fits !== undefined && (
              <small className={fits ? "good" : "bad"}>
                {" "}
                {fits ? "fits" : "too large"} {fits ? <Check className="icon" /> : <X className="icon" />}
              </small>
            )}
          </FigureValue>
        </div>
      );
    }
  }
}

const DONE = new Set(["done", "hit"]);

function RunPicker({ pipeline }: { readonly pipeline: string }) {
  const { runId, run, lost } = useRun();
  const active = useRun(isActive);
  const { data: runs } = useQuery(trpc.runs.list.queryOptions({ pipeline }));
  if (!runId && !runs?.length) return <span className="hint">Not run yet</span>;
  const steps = Object.values(run.steps);
  const done = steps.filter((step) => DONE.has(step.state)).length;
  const hits = steps.filter((step) => step.state === "hit").length;
  return (
    <>
      <span className="l" data-testid="run-summary">
        {done} of {steps.length} steps{hits > 0 && ` · ${hits} from cache`}
      </span>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className="row gap-1.5" data-testid="run-status" data-status={run.status}>
          <span
            className={`dot ${active ? "busy" : run.status === "done" ? "on" : run.status === "failed" ? "off" : ""}`}
          />
          {active ? (lost ? "running, server away" : "running") : run.status}
          <ChevronDown className="icon" />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="end" sideOffset={6}>
            {runId && (
              <DropdownMenu.Item className="menu-item" asChild>
                <Link href={`/runs/${runId}`}>Open this run</Link>
              </DropdownMenu.Item>
            )}
            <DropdownMenu.Separator className="menu-line" />
            <div className="menu-scroll">
              {runs?.slice(0, 20).map((item) => (
                <DropdownMenu.Item
                  key={item.runId}
                  className="menu-item"
                  data-current={item.runId === runId || undefined}
                  onSelect={() => follow(item.runId, undefined)}
                >
                  <span className="grow">{new Date(item.startedAt).toLocaleString()}</span>
                  <span className="hint">{item.status}</span>
                </DropdownMenu.Item>
              ))}
            </div>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </>
  );
}
