"use client";
/** The frame with its own boxes over it: it is shown when its boxes are known, so the two never drift apart. */
import { type ReactNode, type RefObject, useCallback, useRef } from "react";
import { bestPerBox } from "../../nodes/bestPerBox.ts";
import { type Screen, useLive } from "./live.ts";

/** Nearer to the upper edge than this share of the height there is no room for a box's name above it. */
const LABEL_SHARE = 0.05;

interface Props {
  /** Is given the elements to play and to draw on. */
  readonly screen: RefObject<Screen | undefined>;
  /** Shown while nothing runs. */
  readonly children: ReactNode;
}

export function LiveStage({ screen, children }: Props) {
  const phase = useLive((s) => s.phase);
  const item = useLive((s) => s.item);
  const video = useRef<HTMLVideoElement>(null);
  const onCanvas = useCallback(
    (canvas: HTMLCanvasElement | null) => {
      screen.current = canvas && video.current ? { video: video.current, canvas } : undefined;
    },
    [screen],
  );
  const boxes = bestPerBox(item?.detections ?? []);
  const ratio = item ? item.width / item.height : 4 / 3;
  const label = `${boxes.length} found`;
  return (
    <section className="card live span-9" data-testid="live" data-phase={phase} data-frame={item?.frame}>
      <figure style={{ aspectRatio: ratio, maxWidth: `calc((100dvh - 148px) * ${ratio})` }}>
        <video ref={video} muted playsInline />
        <canvas ref={onCanvas} hidden={!item} aria-label={label} role="img" />
        {item &&
          boxes.map(({ box: [x, y, w, h], class: name, score }, index) => (
            <div
              // biome-ignore lint/suspicious/noArrayIndexKey: boxes of a frame have no identity beyond it
              key={index}
              className={y < LABEL_SHARE * item.height ? "live-box at-top" : "live-box"}
              data-testid="live-box"
              style={{
                left: `${(100 * x) / item.width}%`,
                top: `${(100 * y) / item.height}%`,
                width: `${(100 * w) / item.width}%`,
                height: `${(100 * h) / item.height}%`,
              }}
            >
              <span>
                {name} {Math.round(score * 100)} %
              </span>
            </div>
          ))}
        {!item && (
          <div className="live-words">{phase === "starting" ? <p className="muted">Starting…</p> : children}</div>
        )}
      </figure>
    </section>
  );
}
