/** Puts the pipeline of the address on the canvas; on other pages the one used last, so that the bar is about it. */
import { useParams } from "next/navigation";
import { useEffect } from "react";
import { create } from "zustand";
import { currentDoc, editor } from "../canvas/useEditor.ts";
import { followLatestRun } from "../runs/runStore.ts";
import { api } from "../trpc.ts";
import { messageOf } from "./sentence.ts";

const LAST = "edgewright.pipeline";
export const lastPipeline = (): string | undefined => localStorage.getItem(LAST) ?? undefined;

/** Why the pipeline of the address is not shown. */
export const useLoadError = create<{ readonly error: string | undefined }>(() => ({ error: undefined }));

export function usePipelineLoader(): void {
  const params = useParams();
  const named = typeof params.name === "string" ? decodeURIComponent(params.name) : undefined;

  useEffect(() => {
    const name = named ?? lastPipeline();
    if (!name || currentDoc()?.name === name) return;
    let stale = false;
    void openPipeline(name, () => stale);
    return () => {
      stale = true;
    };
  }, [named]);

  useEffect(() => {
    const flushHidden = () => document.visibilityState === "hidden" && void editor.flush();
    document.addEventListener("visibilitychange", flushHidden);
    return () => document.removeEventListener("visibilitychange", flushHidden);
  }, []);
}

export async function openPipeline(name: string, isStale = () => false): Promise<void> {
  await editor.flush();
  try {
    const { doc, revision } = await api.pipelines.get.query({ name });
    if (isStale()) return;
    editor.load(doc, revision);
    useLoadError.setState({ error: undefined });
    localStorage.setItem(LAST, name);
    await followLatestRun(name);
  } catch (error) {
    if (!isStale()) useLoadError.setState({ error: messageOf(error) });
  }
}
