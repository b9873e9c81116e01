/** Where the tour is, remembered: it goes on after a reload, and what was skipped stays away. */
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { TOUR_STEPS } from "./tourSteps.ts";

interface TourState {
  /** Index of the step that is shown; beyond the last one, the tour is over. */
  readonly step: number;
  /** The user wants to see it, whatever lies on the canvas. */
  readonly asked: boolean;
}

export const useTour = create<TourState>()(
  persist<TourState, [], [], Pick<TourState, "step">>(() => ({ step: 0, asked: false }), {
    name: "edgewright.tour",
    partialize: ({ step }) => ({ step }),
  }),
);

export const goToStep = (step: number) => useTour.setState({ step });
export const endTour = () => useTour.setState({ step: TOUR_STEPS.length, asked: false });
export const showTour = () => useTour.setState({ step: 0, asked: true });
