"use client";
/** No pipeline named: the one used last, else the first there is, else a new one. */
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { Workspace } from "./canvas/Workspace.tsx";
import { newPipeline } from "./shell/pipelines.ts";
import { messageOf } from "./shell/sentence.ts";
import { say } from "./shell/useNotices.ts";
import { lastPipeline } from "./shell/usePipelineLoader.ts";
import { api } from "./trpc.ts";

async function firstToShow(): Promise<string> {
  const list = await api.pipelines.list.query();
  const last = list.find((pipeline) => pipeline.name === lastPipeline());
  const shown = last ?? list.find((pipeline) => pipeline.name === "person-detection") ?? list[0];
  return shown?.name ?? (await newPipeline());
}

export default function Home() {
  const router = useRouter();
  useEffect(() => {
    firstToShow().then(
      (name) => router.replace(`/pipelines/${name}`),
      (error) => say({ tone: "bad", text: messageOf(error) }),
    );
  }, [router]);
  return <Workspace />;
}
