"use client";
/** A node's state at the right of its header: always an icon and a word, never colour alone. */
import { Check, CircleAlert, CircleDashed, CircleMinus, Pause, RotateCw, TriangleAlert } from "lucide-react";
import { Tip } from "../shell/Tip.tsx";
import type { NodeState, NodeView } from "./nodeView.ts";

const ICONS = {
  invalid: TriangleAlert,
  queued: CircleDashed,
  done: Check,
  hit: RotateCw,
  stale: Pause,
  failed: CircleAlert,
  skipped: CircleMinus,
} satisfies Partial<Record<NodeState, typeof Check>>;

export function StateBadge({ view }: { readonly view: NodeView }) {
  if (view.state === "idle") return null;
  const badge = (
    <span className={`state ${view.state}`} data-state={view.state}>
      <StateIcon view={view} />
      <span className="t">{view.word}</span>
    </span>
  );
  return view.why ? <Tip text={view.why}>{badge}</Tip> : badge;
}

function StateIcon({ view }: { readonly view: NodeView }) {
  if (view.state === "idle") return null;
  if (view.state === "running") return <Ring fraction={view.fraction} />;
  const Icon = ICONS[view.state];
  return <Icon className="icon" aria-label={view.state} />;
}

const ROUND = 2 * Math.PI * 5.5;

function Ring({ fraction }: { readonly fraction: number | undefined }) {
  return (
    <svg
      className={`progress-ring ${fraction === undefined ? "turning" : ""}`}
      viewBox="0 0 14 14"
      role="img"
      aria-label="running"
    >
      <circle cx="7" cy="7" r="5.5" />
      <circle className="p" cx="7" cy="7" r="5.5" strokeDasharray={`${ROUND * (fraction ?? 0.28)} ${ROUND}`} />
    </svg>
  );
}
