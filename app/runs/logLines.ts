/** A run's events as lines a person reads: progress is left out, hits are gathered. Pure. */
import type { RunEvent } from "../../pipelines/document/events.ts";
import { duration } from "../canvas/nodeView.ts";

export interface LogLine {
  readonly key: number;
  readonly seconds: number;
  readonly tone: "info" | "warning" | "error";
  readonly text: string;
}

export function logLines(events: readonly RunEvent[]): LogLine[] {
  const start = Date.parse(events[0]?.time ?? "");
  const lines: LogLine[] = [];
  let hits: { readonly event: RunEvent; readonly nodes: string[] } | undefined;
  const push = (event: RunEvent, tone: LogLine["tone"], text: string) => {
    lines.push({ key: event.seq, seconds: Math.max(0, (Date.parse(event.time) - start) / 1000), tone, text });
  };
  const flush = () => {
    if (hits)
      push(
        hits.event,
        "info",
        `${hits.nodes.length === 1 ? "hit" : `${hits.nodes.length} hits`}: ${hits.nodes.join(", ")}`,
      );
    hits = undefined;
  };
  for (const event of events) {
    if (event.type === "step.finished" && event.cache === "hit") {
      hits ??= { event, nodes: [] };
      hits.nodes.push(event.node);
      continue;
    }
    const line = lineOf(event);
    if (!line) continue;
    flush();
    push(event, line.tone, line.text);
    if (event.type === "run.finished") {
      for (const problem of event.diagnostics ?? []) {
        const text = [problem.nodeId, [problem.message, problem.fix].filter(Boolean).join(" ")]
          .filter(Boolean)
          .join(": ");
        lines.push({
          ...(lines.at(-1) ?? { seconds: 0 }),
          key: event.seq + lines.length / 1e4,
          tone: problem.severity,
          text,
        });
      }
    }
  }
  flush();
  return lines;
}

function lineOf(event: RunEvent): Pick<LogLine, "tone" | "text"> | undefined {
  switch (event.type) {
    case "run.started":
      return { tone: "info", text: `${event.pipeline} on ${event.target}: ${event.plan.length} steps` };
    case "step.log":
      return { tone: event.level, text: `${event.node}: ${event.message}` };
    case "step.finished":
      return {
        tone: "info",
        text: `${event.node}: done in ${duration(event.ms)}${event.reason ? `, ${event.reason}` : ""}`,
      };
    case "step.failed": {
      const { message, fix } = event.error;
      return { tone: "error", text: `${event.node}: ${message}${fix ? ` Fix: ${fix}` : ""}` };
    }
    case "run.finished":
      return { tone: "info", text: event.status };
    case "step.started":
    case "step.progress":
      return undefined;
  }
}
