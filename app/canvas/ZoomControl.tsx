"use client";
import { useReactFlow, useStore } from "@xyflow/react";
import { Maximize, Minus, Plus } from "lucide-react";
import { type RefObject, useEffect } from "react";
import { COMPACT_ZOOM } from "./nodeGeometry.ts";

/** Gives the zoom to the styles: widths that stay screen pixels divide by --z, and nodes turn compact. */
export function ZoomVariable({ wrapper }: { readonly wrapper: RefObject<HTMLDivElement | null> }) {
  const zoom = useStore((s) => s.transform[2]);
  const connecting = useStore((s) => s.connection.inProgress);
  useEffect(() => {
    const element = wrapper.current;
    if (!element) return;
    element.style.setProperty("--z", String(zoom));
    element.toggleAttribute("data-compact", zoom < COMPACT_ZOOM);
    element.toggleAttribute("data-connecting", connecting);
  }, [wrapper, zoom, connecting]);
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
      <output aria-label="Zoom">{Math.round(zoom * 100)} %</output>
      <button type="button" className="btn quiet icon-only" aria-label="Zoom in" onClick={() => void flow.zoomIn()}>
        <Plus className="icon" />
      </button>
      <button
        type="button"
        className="btn quiet icon-only"
        aria-label="Show all"
        onClick={() => void flow.fitView({ padding: 0.06, maxZoom: 1, duration: 160 })}
      >
        <Maximize className="icon" />
      </button>
    </div>
  );
}
