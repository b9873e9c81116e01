"use client";
/** The edge of a side panel: drag it, or move it with the arrow keys. */
import type { KeyboardEvent, PointerEvent } from "react";
import { PANEL_LIMITS, type Panel, resizePanel, usePanels } from "../shell/usePanels.ts";

const STEP = 16;

export function Resizer({ panel }: { readonly panel: Panel }) {
  const width = usePanels((s) => s[panel]);
  const outward = panel === "palette" ? 1 : -1;
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const start = event.clientX;
    const element = event.currentTarget;
    element.setPointerCapture(event.pointerId);
    element.onpointermove = (move) => resizePanel(panel, width + (move.clientX - start) * outward);
    element.onpointerup = () => {
      element.onpointermove = null;
    };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") resizePanel(panel, width + STEP * outward);
    if (event.key === "ArrowLeft") resizePanel(panel, width - STEP * outward);
  };
  const [min, max] = PANEL_LIMITS[panel];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be focused and moved
    <div
      className="resizer"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Width of the ${panel}`}
      aria-valuenow={width}
      aria-valuemin={min}
      aria-valuemax={max}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
