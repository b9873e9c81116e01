"use client";
import { type FitViewOptions, useReactFlow, useStore } from "@xyflow/react";
import { Maximize, Minus, Plus } from "lucide-react";
import { type RefObject, useEffect } from "react";
import { COMPACT_ZOOM } from "./nodeGeometry.ts";

/** All nodes in sight, above the minimap. */
export const FIT = {
  padding: { top: "28px", left: "28px", right: "28px", bottom: "124px" },
  maxZoom: 1,
} satisfies FitViewOptions;

/** Dots of the grid stay between these distances on screen at every zoom. */
const GRID = 16;
const WIDEST = 24;

function gridOnScreen(zoom: number): number {
  const steps = Math.ceil(Math.log2(WIDEST / 2 / (GRID * zoom)));
  return GRID * zoom * 2 ** steps;
}

/** Gives the view to the styles: widths that stay screen pixels divide by --z, nodes turn compact, the grid moves. */
export function ZoomVariable({ wrapper }: { readonly wrapper: RefObject<HTMLDivElement | null> }) {
  const [x, y, zoom] = useStore((s) => s.transform);
  const connecting = useStore((s) => s.connection.inProgress);
  useEffect(() => {
    const element = wrapper.current;
    if (!element) return;
    element.style.setProperty("--z", String(zoom));
    element.style.backgroundPosition = `${x}px ${y}px`;
    element.style.backgroundSize = `${gridOnScreen(zoom)}px ${gridOnScreen(zoom)}px`;
    element.toggleAttribute("data-compact", zoom < COMPACT_ZOOM);
    element.toggleAttribute("data-connecting", connecting);
  }, [wrapper, x, y, zoom, connecting]);
  return null;
}

export function ZoomControl() {
  const zoom = useStore((s) => s.transform[2]);
  const flow = useReactFlow();
  return (
    <div className="floating zoom" role="toolbar" aria-label="Zoom">
      <button type="button" className="btn quiet icon-only" aria-label="Zoom out" onClick={() => void flow.zoomOut()}>
        <Minus className="icon" />
      </button>
      <button
        type="button"
        className="btn quiet"
        aria-label={`Zoom is ${Math.round(zoom * 100)} %: show at 100 %`}
        onClick={() => void flow.zoomTo(1, { duration: 160 })}
      >
        {Math.round(zoom * 100)} %
      </button>
      <button type="button" className="btn quiet icon-only" aria-label="Zoom in" onClick={() => void flow.zoomIn()}>
        <Plus className="icon" />
      </button>
      <button
        type="button"
        className="btn quiet icon-only"
        aria-label="Show all"
        onClick={() => void flow.fitView({ ...FIT, duration: 160 })}
      >
        <Maximize className="icon" />
      </button>
    </div>
  );
}
