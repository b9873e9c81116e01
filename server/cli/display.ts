/**
 * A run in the terminal: a line for each step as it ends, and below, on a terminal, the steps that run now. Anywhere
 * else plain lines only.
 */
import type { RunEvent } from "../../pipelines/document/events.ts";
import { emptyRun, reduceEvent } from "../../pipelines/document/reduceRun.ts";

const BAR_WIDTH = 20;

export class Display {
  #run = emptyRun;
  #drawn = 0;

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(event: RunEvent): void {
    const before = this.#run;
    this.#run = reduceEvent(before, event);
    const line = lineOf(event);
    if (!this.out.isTTY) {
      if (line) this.out.write(`${line}\n`);
      return;
    }
    this.#erase();
    if (line) this.out.write(`${line}\n`);
    if (event.type !== "run.finished") this.#draw();
  }

  #erase(): void {
    if (this.#drawn > 0) this.out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    const width = Math.max(20, (this.out.columns ?? 80) - 1);
    for (const [id, step] of Object.entries(this.#run.steps)) {
      if (step.state !== "running") continue;
      const { done = 0, total, unit = "", message = "" } = step.progress ?? {};
      const share = total ? Math.min(1, done / total) : 0;
      const bar = "█".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, "░");
      const count = total ? `${done}/${total}` : done > 0 ? String(done) : "";
      this.out.write(`${`▸ ${id.padEnd(22)} ${total ? bar : ""} ${count} ${unit} ${message}`.slice(0, width)}\n`);
      this.#drawn++;
    }
  }
}

function lineOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case "run.started": {
      const warnings = (event.diagnostics ?? [])
        .filter(({ severity }) => severity === "warning")
        .map((d) => `! ${d.nodeId ? `${d.nodeId}: ` : ""}${d.message}`);
      return [`${event.pipeline} on ${event.target} (run ${event.runId})`, ...warnings].join("\n");
    }
    case "step.log":
      return event.level === "warning" ? `! ${event.node}: ${event.message}` : undefined;
    case "step.finished": {
      const how = event.cache === "hit" ? "from the cache" : `${seconds(event.ms)}   ${event.reason ?? ""}`;
      return `${event.cache === "hit" ? "⟲" : "✓"} ${event.node.padEnd(22)} ${how}`.trimEnd();
    }
    case "step.failed":
      return `✗ ${event.node}: ${event.error.message}${event.error.fix ? `\n  ${event.error.fix}` : ""}`;
    case "run.finished": {
      if (event.status === "done") return undefined;
      const said = event.diagnostics?.filter(({ severity }) => severity === "error") ?? [];
      const lines = said.map((d) => `✗ ${d.nodeId ? `${d.nodeId}: ` : ""}${d.message}${d.fix ? `\n  ${d.fix}` : ""}`);
      return [...lines, event.status === "cancelled" ? "cancelled" : "failed"].join("\n");
    }
    default:
      return undefined;
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
