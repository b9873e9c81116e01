/** Widths of the side panels, remembered, and the drawer that is open where the window is too narrow for panels. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Panel = "palette" | "inspector";
interface Panels {
  readonly palette: number;
  readonly inspector: number;
  /** Shows icons only. */
  readonly collapsed: boolean;
  readonly drawer: Panel | undefined;
}

export const PANEL_LIMITS = { palette: [132, 280], inspector: [224, 480] } as const;

export const usePanels = create<Panels>()(
  persist<Panels, [], [], Omit<Panels, "drawer">>(
    () => ({ palette: 152, inspector: 256, collapsed: false, drawer: undefined }),
    {
      name: "edgewright.panels",
      partialize: ({ palette, inspector, collapsed }) => ({ palette, inspector, collapsed }),
    },
  ),
);

export function resizePanel(panel: Panel, width: number): void {
  const [min, max] = PANEL_LIMITS[panel];
  usePanels.setState({ [panel]: Math.round(Math.min(max, Math.max(min, width))) });
}
