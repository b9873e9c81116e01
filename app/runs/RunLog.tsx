"use client";
/** The whole log of a run, in seconds from its start; it can be narrowed to what went wrong. */
import { useMemo, useState } from "react";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { type LogLine, logLines } from "./logLines.ts";

type Filter = "all" | "warning" | "error";

export function RunLog({ events }: { readonly events: readonly RunEvent[] }) {
  const lines = useMemo(() => logLines(events), [events]);
  const [filter, setFilter] = useState<Filter>("all");
  const count = (tone: LogLine["tone"]) => lines.filter((line) => line.tone === tone).length;
  const shown = lines.filter((line) => filter === "all" || line.tone === filter);
  const tab = (value: Filter, text: string, tone: string) => (
    <button type="button" className={`badge ${tone}`} aria-pressed={filter === value} onClick={() => setFilter(value)}>
      {text}
    </button>
  );
  return (
    <section className="card span-5">
      <header>
        <h2>Log</h2>
        <span className="grow" />
        {tab("all", "all", "")}
        {count("warning") > 0 &&
          tab("warning", count("warning") === 1 ? "1 warning" : `${count("warning")} warnings`, "warn")}
        {count("error") > 0 && tab("error", count("error") === 1 ? "1 error" : `${count("error")} errors`, "bad")}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <div className="log scroll" data-testid="run-log" tabIndex={0}>
        {shown.map((line) => (
          <div key={line.key} className={line.tone === "error" ? "bad" : line.tone === "warning" ? "warn" : ""}>
            <time>{line.seconds.toFixed(2).padStart(5, "0")}</time>
            {line.text}
          </div>
        ))}
      </div>
    </section>
  );
}
