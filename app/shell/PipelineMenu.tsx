"use client";
/** Which pipeline is in hand: open another, make, rename, copy, remove, import, export. */
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, Copy, Download, FilePlus2, Pencil, Trash2, Upload } from "lucide-react";
import { useRouter } from "next/navigation";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { useDoc } from "../canvas/useEditor.ts";
import { trpc } from "../trpc.ts";
import { NameDialog } from "./NameDialog.tsx";
import { copyPipeline, exportPipeline, importFile, newPipeline, removePipeline, renamePipeline } from "./pipelines.ts";
import { pickFiles } from "./upload.ts";

export function PipelineMenu() {
  const doc = useDoc();
  const router = useRouter();
  const go = (name: string | undefined) => name && router.push(`/pipelines/${name}`);
  const [dialog, setDialog] = useState<"rename" | "remove">();
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className="btn quiet pipeline-name" data-testid="pipeline-menu">
          <span className="cut">{doc?.name ?? "Pipelines"}</span>
          <ChevronDown className="icon" />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="start" sideOffset={4} collisionPadding={8}>
            <PipelineItems current={doc?.name} onOpen={go} />
            <DropdownMenu.Separator className="menu-line" />
            <DropdownMenu.Item className="menu-item" onSelect={() => void newPipeline().then(go)}>
              <FilePlus2 className="icon" /> New pipeline
            </DropdownMenu.Item>
            <DropdownMenu.Item
              className="menu-item"
              onSelect={() =>
                void pickFiles(".json")
                  .then((files) => files[0] && importFile(files[0]))
                  .then(go)
              }
            >
              <Upload className="icon" /> Import JSON…
            </DropdownMenu.Item>
            {doc && (
              <>
                <DropdownMenu.Item className="menu-item" onSelect={() => exportPipeline(doc)}>
                  <Download className="icon" /> Export JSON
                </DropdownMenu.Item>
                <DropdownMenu.Item className="menu-item" onSelect={() => void copyPipeline(doc).then(go)}>
                  <Copy className="icon" /> Make a copy
                </DropdownMenu.Item>
                <DropdownMenu.Item className="menu-item" onSelect={() => setDialog("rename")}>
                  <Pencil className="icon" /> Rename…
                </DropdownMenu.Item>
                <DropdownMenu.Item className="menu-item bad" onSelect={() => setDialog("remove")}>
                  <Trash2 className="icon" /> Delete…
                </DropdownMenu.Item>
              </>
            )}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {doc && dialog === "rename" && (
        <NameDialog
          title={`Rename ${doc.name}`}
          initial={doc.name}
          action="Rename"
          onClose={() => setDialog(undefined)}
          onName={(name) => renamePipeline(name).then(() => go(name))}
        />
      )}
      {doc && dialog === "remove" && (
        <NameDialog
          title={`Delete ${doc.name}`}
          text="The file goes; runs and their results stay until they are cleaned up. Type its name to confirm."
          initial=""
          mustBe={doc.name}
          action="Delete"
          onClose={() => setDialog(undefined)}
          onName={() => removePipeline(doc.name).then(() => router.push("/"))}
        />
      )}
    </>
  );
}

function PipelineItems({ current, onOpen }: { current: string | undefined; onOpen: (name: string) => void }) {
  const { data, isPending } = useQuery(trpc.pipelines.list.queryOptions());
  if (isPending) return <p className="menu-item hint">Reading…</p>;
  if (!data?.length) return <p className="menu-item hint">No saved pipeline yet</p>;
  return (
    <div className="menu-scroll">
      {data.map((pipeline) => (
        <DropdownMenu.Item
          key={pipeline.name}
          className="menu-item"
          data-current={pipeline.name === current || undefined}
          onSelect={() => onOpen(pipeline.name)}
        >
          <span className="grow cut">{pipeline.name}</span>
          <span className="hint">{pipeline.nodes} nodes</span>
        </DropdownMenu.Item>
      ))}
    </div>
  );
}
