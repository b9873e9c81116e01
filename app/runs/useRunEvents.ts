/** A run's log, kept up to date while it runs. */
import { useEffect, useState } from "react";
import type { RunEvent } from "../../pipelines/document/events.ts";
import { api } from "../trpc.ts";

export function useRunEvents(runId: string) {
  const [events, setEvents] = useState<readonly RunEvent[]>([]);
  const [error, setError] = useState<string>();
  const [now, setNow] = useState(Date.now);
  const ended = events.at(-1)?.type === "run.finished";

  useEffect(() => {
    setEvents([]);
    let waiting: RunEvent[] = [];
    const drain = () => {
      const batch = waiting;
      waiting = [];
      setEvents((before) => [...before, ...batch.filter((event) => event.seq > (before.at(-1)?.seq ?? -1))]);
    };
    const subscription = api.runs.watch.subscribe(
      { runId },
      {
        onData: ({ data }) => {
          if (waiting.push(data) === 1) requestAnimationFrame(drain);
          // The log is whole: without this the line would be opened again and again.
          if (data.type === "run.finished") subscription.unsubscribe();
        },
        onError: (failure) => setError(failure.message),
      },
    );
    return () => subscription.unsubscribe();
  }, [runId]);

  useEffect(() => {
    if (ended) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [ended]);

  return { events, error, now };
}
