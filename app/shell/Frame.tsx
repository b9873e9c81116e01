"use client";
/** What stays while pages change: the bar, the queries, the notices, the command palette, the pipeline in hand. */
import { QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import type { ReactNode } from "react";
import { queryClient } from "../trpc.ts";
import { CommandPalette } from "./CommandPalette.tsx";
import { ConflictDialog } from "./ConflictDialog.tsx";
import { DropZone } from "./DropZone.tsx";
import { Notices } from "./Notices.tsx";
import { TopBar } from "./TopBar.tsx";
import { usePipelineLoader } from "./usePipelineLoader.ts";

export function Frame({ children }: { readonly children: ReactNode }) {
  return (
    <QueryClientProvider client={queryClient}>
      <Tooltip.Provider delayDuration={400}>
        <Shell>{children}</Shell>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}

function Shell({ children }: { readonly children: ReactNode }) {
  usePipelineLoader();
  return (
    <DropZone>
      <TopBar />
      <div className="page">{children}</div>
      <ConflictDialog />
      <CommandPalette />
      <Notices />
    </DropZone>
  );
}
