"use client";
/** When each step ran, by what it used. */
import { useMemo } from "react";
import type { RunState } from "../../pipelines/document/reduceRun.ts";
import { duration } from "../canvas/nodeView.ts";
import { type Bar, ticks, timeline } from "./timeline.ts";
import { useWidth } from "./useWidth.ts";

const LABELS = 112;
const LANE = 24;
/** Room for the name of a short step, right of its bar. */
const NAME_ROOM = 90;

export function StepsTimeline({ run, now }: { readonly run: RunState; readonly now: number }) {
  const [ref, width] = useWidth();
  const { rows, totalMs } = useMemo(() => timeline(run, now), [run, now]);
  const scale = (ms: number) => LABELS + (ms / Math.max(totalMs, 1)) * (width - LABELS - NAME_ROOM);
  let y = 20;
  const placed = rows.map((row) => {
    const top = y;
    y += row.lanes * LANE + 6;
    return { row, top };
  });
  return (
    <section className="card span-7">
      <header>
        <h2>Steps</h2>
        <span className="hint">by what they use</span>
        <span className="grow" />
        <span className="hint">hits are not drawn</span>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <div className="pad scroll" ref={ref} tabIndex={0}>
        {rows.length === 0 ? (
          <p className="hint">
            {run.status === "running" ? "Waiting for the first step" : "Every step came from the cache"}
          </p>
        ) : (
          <svg className="chart" width={width} height={y} role="img" aria-label="Timeline of the steps">
            {ticks(totalMs / 1000, 6).map((seconds) => (
              <g key={seconds}>
                <path className="gridline" d={`M${scale(seconds * 1000) + 0.5} 16V${y}`} />
                <text x={scale(seconds * 1000)} y={10} textAnchor="middle">
                  {seconds === 0 ? "0 s" : seconds}
                </text>
              </g>
            ))}
            {placed.map(({ row, top }) => (
              <g key={row.title}>
                <text x={0} y={top + 15}>
                  {row.title}
                </text>
                {row.bars.map((bar, index) => (
                  <BarMark
                    key={bar.id}
                    bar={bar}
                    x={scale(bar.startMs)}
                    end={scale(bar.endMs)}
                    y={top + bar.lane * LANE}
                    room={
                      scale(
                        row.bars.slice(index + 1).find((b) => b.lane === bar.lane)?.startMs ?? Number.POSITIVE_INFINITY,
                      ) - scale(bar.endMs)
                    }
                  />
                ))}
              </g>
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}

interface BarProps {
  readonly bar: Bar;
  readonly x: number;
  readonly end: number;
  readonly y: number;
  /** Free space to the right, in which a name that is wider than its bar may stand. */
  readonly room: number;
}

const LETTER = 6.4;

function BarMark({ bar, x, end, y, room }: BarProps) {
  const width = Math.max(3, end - x);
  const inside = bar.id.length * LETTER + 12 < width;
  const failed = bar.state === "failed";
  return (
    <g>
      <title>{`${bar.id}: ${duration(bar.endMs - bar.startMs)}`}</title>
      <rect className={`bar-${bar.state}`} x={x} y={y} width={width} height={20} rx={3} />
      {(inside || bar.id.length * LETTER + 10 < room) && (
        <text className={inside ? "in" : failed ? "err" : ""} x={inside ? x + 6 : x + width + 5} y={y + 14}>
          {bar.id}
          {failed && " failed"}
        </text>
      )}
    </g>
  );
}
