"use client";
/** A card over a corner of the canvas that stays usable: it points at what it speaks of, and waits for nobody. */
import { useEffect, useId, useRef, useState } from "react";
import { useEditor } from "../canvas/useEditor.ts";
import { isActive, useRun } from "../runs/runStore.ts";
import { TOUR_STEPS } from "./tourSteps.ts";
import { endTour, goToStep, useTour } from "./useTour.ts";

const RUN = TOUR_STEPS.findIndex(({ about }) => about === "run");

export function Tour() {
  // Whoever starts from nothing is offered templates instead, and is not interrupted by the first node.
  const [hasNodes] = useState(useEditor((s) => Object.keys(s.history?.doc.nodes ?? {}).length > 0));
  const { step, asked } = useTour();
  if (!TOUR_STEPS[step] || !(hasNodes || asked)) return null;
  return <Card step={step} />;
}

function Card({ step }: { readonly step: number }) {
  const shown = TOUR_STEPS[step];
  const title = useId();
  const text = useId();
  const card = useRef<HTMLDivElement>(null);
  const running = useRun(isActive);
  const about = shown?.about;

  useEffect(() => {
    if (about) document.documentElement.dataset.tour = about;
    return () => {
      delete document.documentElement.dataset.tour;
    };
  }, [about]);
  // Whoever presses Run has done what this step asks.
  useEffect(() => {
    if (running && step === RUN) goToStep(step + 1);
  }, [running, step]);
  // The keyboard begins here, unless it is busy elsewhere already.
  useEffect(() => {
    if (document.activeElement === document.body) card.current?.focus({ preventScroll: true });
  }, []);

  if (!shown) return null;
  const last = step === TOUR_STEPS.length - 1;
  return (
    <div
      ref={card}
      className="floating tour"
      role="dialog"
      aria-modal="false"
      aria-labelledby={title}
      aria-describedby={text}
      tabIndex={-1}
      data-testid="tour"
      onKeyDown={(event) => event.key === "Escape" && endTour()}
    >
      <div aria-live="polite">
        <h2 id={title}>{shown.title}</h2>
        <p id={text}>{shown.text}</p>
      </div>
      <footer>
        <span className="hint grow">
          {step + 1} of {TOUR_STEPS.length}
        </span>
        {!last && (
          <button type="button" className="btn quiet small" data-testid="tour-skip" onClick={endTour}>
            Skip
          </button>
        )}
        {step > 0 && (
          <button type="button" className="btn quiet small" onClick={() => goToStep(step - 1)}>
            Back
          </button>
        )}
        <button
          type="button"
          className="btn small"
          data-testid="tour-next"
          onClick={last ? endTour : () => goToStep(step + 1)}
        >
          {last ? "Done" : "Next"}
        </button>
      </footer>
    </div>
  );
}
