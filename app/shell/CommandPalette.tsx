"use client";
/** ⌘K: nodes to add and to find, parameters, actions, pipelines, all by typing. ⌘⏎ runs from anywhere. */
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import {
  Contrast,
  CornerDownLeft,
  Download,
  FilePlus2,
  LayoutGrid,
  Play,
  Search,
  Signpost,
  Square,
  Undo2,
  Workflow,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { Dialog } from "radix-ui";
import { type ReactNode, useEffect } from "react";
import { create } from "zustand";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { addNode, onlySelected } from "../canvas/actions.ts";
import { centreOfView } from "../canvas/centreOfView.ts";
import { NodeIcon } from "../canvas/NodeIcon.tsx";
import { tidy } from "../canvas/tidy.ts";
import { currentDoc, editor, useDoc } from "../canvas/useEditor.ts";
import { fieldsOf } from "../form/formModel.ts";
import { cancelRun, startRun } from "../runs/runStore.ts";
import { showTour } from "../tour/useTour.ts";
import { trpc } from "../trpc.ts";
import { Keys } from "./Keys.tsx";
import { exportPipeline, newPipeline } from "./pipelines.ts";
import { toggleTheme } from "./useTheme.ts";

const useOpen = create(() => ({ open: false }));
export const openCommandPalette = () => useOpen.setState({ open: true });
const close = () => useOpen.setState({ open: false });

export function CommandPalette() {
  const open = useOpen((s) => s.open);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!event.metaKey && !event.ctrlKey) return;
      if (event.key === "k") useOpen.setState((s) => ({ open: !s.open }));
      else if (event.key === "Enter") void startRun();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={(next) => useOpen.setState({ open: next })}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog palette-dialog" aria-describedby={undefined} data-testid="command-palette">
          <Dialog.Title className="sr-only">Find anything</Dialog.Title>
          <Command label="Find anything" loop filter={rank}>
            <div className="search">
              <Search className="icon" />
              <Command.Input placeholder="Nodes, parameters, actions, pipelines" />
            </div>
            <Command.List>
              <Command.Empty className="menu-item hint">Nothing by that name</Command.Empty>
              <Actions />
              <AddGroup />
              <FindGroup />
              <ParamGroup />
              <PipelineGroup />
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Every word typed must stand in what is offered, best at a word's beginning: letters strewn about find the wrong thing. */
function rank(value: string, search: string): number {
  const text = value.toLowerCase();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => text.includes(word))) return 0;
  return words.every((word) => ` ${text}`.includes(` ${word}`)) ? 1 : 0.5;
}

interface ItemProps {
  readonly value: string;
  readonly icon: ReactNode;
  readonly keys?: string;
  readonly className?: string;
  readonly onSelect: () => unknown;
  readonly children: ReactNode;
}

function Item({ value, icon, keys, className = "", onSelect, children }: ItemProps) {
  return (
    <Command.Item
      className={`menu-item ${className}`}
      value={value}
      onSelect={() => {
        close();
        onSelect();
      }}
    >
      {icon}
      <span className="grow cut">{children}</span>
      {keys && <Keys keys={keys} className="hint" />}
    </Command.Item>
  );
}

function Actions() {
  const doc = useDoc();
  const router = useRouter();
  const selected = onlySelected();
  return (
    <Command.Group heading="Actions">
      <Item value="run pipeline" icon={<Play className="icon" />} keys="mod+enter" onSelect={() => startRun()}>
        Run
      </Item>
      {selected && (
        <Item
          value="run to here"
          icon={<CornerDownLeft className="icon" />}
          onSelect={() => startRun({ to: selected })}
        >
          Run to {selected}
        </Item>
      )}
      <Item value="run fresh measure again" icon={<Play className="icon" />} onSelect={() => startRun({ fresh: true })}>
        Run and measure again
      </Item>
      <Item value="cancel run" icon={<Square className="icon" />} onSelect={cancelRun}>
        Cancel the run
      </Item>
      <Item value="undo" icon={<Undo2 className="icon" />} keys="mod+z" onSelect={editor.undo}>
        Undo
      </Item>
      <Item value="tidy layout" icon={<LayoutGrid className="icon" />} onSelect={tidy}>
        Tidy the layout
      </Item>
      <Item value="theme dark light" icon={<Contrast className="icon" />} onSelect={toggleTheme}>
        Dark or light
      </Item>
      <Item
        value="new pipeline"
        icon={<FilePlus2 className="icon" />}
        onSelect={() => void newPipeline().then((name) => router.push(`/pipelines/${name}`))}
      >
        New pipeline
      </Item>
      <Item value="show the tour, first steps, help" icon={<Signpost className="icon" />} onSelect={showTour}>
        Show the tour
      </Item>
      {doc && (
        <Item value="export json" icon={<Download className="icon" />} onSelect={() => exportPipeline(doc)}>
          Export JSON
        </Item>
      )}
    </Command.Group>
  );
}

function AddGroup() {
  if (!useDoc()) return null;
  return (
    <Command.Group heading="Add">
      {Object.values(nodeDefs).map((def) => (
        <Item
          key={def.type}
          value={`add ${def.title} ${def.type} ${def.category}`}
          className={`cat-${def.category.toLowerCase()}`}
          icon={<NodeIcon name={def.icon} />}
          onSelect={() => addNode(def.type, centreOfView())}
        >
          {def.title}
        </Item>
      ))}
    </Command.Group>
  );
}

function FindGroup() {
  const doc = useDoc();
  return (
    <Command.Group heading="Go to">
      {Object.entries(doc?.nodes ?? {}).map(([id, node]) => {
        const def = own(nodeDefs, node.type);
        return (
          <Item
            key={id}
            value={`go to ${id} ${node.title ?? ""} ${def?.title ?? ""}`}
            className={`cat-${def?.category.toLowerCase()}`}
            icon={<NodeIcon name={def?.icon ?? "box"} />}
            onSelect={() => editor.select([id])}
          >
            {node.title ?? def?.title ?? node.type} <span className="hint mono">{id}</span>
          </Item>
        );
      })}
    </Command.Group>
  );
}

function ParamGroup() {
  const doc = useDoc();
  const params = Object.entries(doc?.nodes ?? {}).flatMap(([id, node]) => {
    const def = own(nodeDefs, node.type);
    return def ? fieldsOf(def).map((field) => ({ id, field })) : [];
  });
  const goTo = (id: string, name: string) => {
    editor.select([id]);
    setTimeout(() => document.getElementById(`param-${name}`)?.focus(), 80);
  };
  return (
    <Command.Group heading="Parameters">
      {params.map(({ id, field }) => (
        <Item
          key={`${id}.${field.name}`}
          value={`parameter ${id}.${field.name} ${field.title}`}
          icon={<Workflow className="icon" />}
          onSelect={() => currentDoc() && goTo(id, field.name)}
        >
          {field.title} <span className="hint mono">{`${id}.${field.name}`}</span>
        </Item>
      ))}
    </Command.Group>
  );
}

function PipelineGroup() {
  const router = useRouter();
  const { data } = useQuery(trpc.pipelines.list.queryOptions());
  return (
    <Command.Group heading="Open">
      {data?.map((pipeline) => (
        <Item
          key={pipeline.name}
          value={`open ${pipeline.name}`}
          icon={<Workflow className="icon" />}
          onSelect={() => router.push(`/pipelines/${pipeline.name}`)}
        >
          {pipeline.name}
        </Item>
      ))}
    </Command.Group>
  );
}
