"use client";
/** What each stage takes, measured here and now: this browser's figures, not those of the pipeline's target. */
import { milliseconds, NONE, significant } from "../results/format.ts";
import { useLive } from "./live.ts";
import { STAGES, type StageTimes } from "./messages.ts";

const TITLES: Readonly<Record<keyof StageTimes, readonly [string, string]>> = {
  read: ["Read frame", "From the browser's picture to pixels in memory"],
  preprocess: ["Preprocess", "Resize, order, scale, lay out"],
  infer: ["Infer", "The model"],
  nms: ["NMS", "Outputs to boxes"],
};

export function LiveFigureCard() {
  const { figures, runtime, item } = useLive();
  const total = figures && STAGES.reduce((sum, stage) => sum + figures.times[stage], 0);
  return (
    <section className="card" data-testid="live-figures">
      <header>
        <h2 className="grow">In this browser</h2>
        {figures && <span className="badge measured">measured</span>}
      </header>
      <table>
        <thead>
          <tr>
            <th>Stage</th>
            <th className="num">ms</th>
          </tr>
        </thead>
        <tbody>
          {STAGES.map((stage) => (
            <tr key={stage}>
              <td title={TITLES[stage][1]}>{TITLES[stage][0]}</td>
              <td className="num" data-testid={`live-${stage}`}>
                {figures ? milliseconds(figures.times[stage]) : NONE}
              </td>
            </tr>
          ))}
          <tr>
            <td>Together</td>
            <td className="num best">{total === undefined ? NONE : milliseconds(total)}</td>
          </tr>
          <tr>
            <td title="At most what the camera gives">Frames/s</td>
            <td className="num best" data-testid="live-fps">
              {figures ? significant(figures.framesPerSecond) : NONE}
            </td>
          </tr>
        </tbody>
      </table>
      <p className="hint live-note">
        {runtime && item && figures
          ? `${runtime}. Frames of ${item.width} × ${item.height}; mean of ${figures.frames}.`
          : "Timed while it runs, on this machine."}
      </p>
    </section>
  );
}
