"use client";
/** The workshop's screen: palette, canvas, inspector, and the result strip below. */
import Link from "next/link";
import type { CSSProperties } from "react";
import { ResultStrip } from "../results/ResultStrip.tsx";
import { usePanels } from "../shell/usePanels.ts";
import { useLoadError } from "../shell/usePipelineLoader.ts";
import { Tour } from "../tour/Tour.tsx";
import { Canvas } from "./Canvas.tsx";
import { Inspector, useInspected } from "./Inspector.tsx";
import { Palette } from "./Palette.tsx";
import { StartScreen } from "./StartScreen.tsx";
import { useEditor } from "./useEditor.ts";

const COLLAPSED = 44;

export function Workspace() {
  const panels = usePanels();
  const name = useEditor((s) => s.history?.doc.name);
  const empty = useEditor((s) => s.history !== undefined && Object.keys(s.history.doc.nodes).length === 0);
  const error = useLoadError((s) => s.error);
  const inspected = useInspected();
  const style: CSSProperties & Record<`--${string}`, string> = {
    "--palette-w": `${panels.collapsed ? COLLAPSED : panels.palette}px`,
    "--inspector-w": inspected ? `${panels.inspector}px` : "0px",
  };
  return (
    <main className="workspace" style={style}>
      <h1 className="sr-only">{name ?? "Pipelines"}</h1>
      <Palette />
      {name === undefined ? (
        <div className="canvas">{error ? <NotFound text={error} /> : <CanvasSkeleton />}</div>
      ) : (
        <div className="canvas-slot">
          <Canvas key={name} />
          {empty && <StartScreen />}
          <Tour key={`tour of ${name}`} />
        </div>
      )}
      <Inspector />
      <ResultStrip />
    </main>
  );
}

function NotFound({ text }: { readonly text: string }) {
  return (
    <div className="start" role="alert">
      <p className="muted">{text}</p>
      <Link className="btn justify-self-center" href="/">
        Show another pipeline
      </Link>
    </div>
  );
}

const PLACES = [
  { left: "12%", top: "30%" },
  { left: "38%", top: "30%" },
  { left: "64%", top: "30%" },
  { left: "38%", top: "62%" },
];

function CanvasSkeleton() {
  return PLACES.map((place) => (
    <div key={`${place.left}${place.top}`} className="skeleton absolute h-[180px] w-[200px]" style={place} />
  ));
}
