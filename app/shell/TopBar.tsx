"use client";
/** Pipeline, pages, undo, target, Run. The same on every page, so that a run is always one key away. */
import { Contrast, PanelLeft, Play, Redo2, Square, Undo2 } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { editor, useDoc, useEditor } from "../canvas/useEditor.ts";
import { cancelRun, isActive, startRun, useRun } from "../runs/runStore.ts";
import { Keys } from "./Keys.tsx";
import { PipelineMenu } from "./PipelineMenu.tsx";
import { SaveStateLabel } from "./SaveStateLabel.tsx";
import { TargetPicker } from "./TargetPicker.tsx";
import { Tip } from "./Tip.tsx";
import { usePanels } from "./usePanels.ts";
import { toggleTheme, useTheme } from "./useTheme.ts";

export function TopBar() {
  return (
    <header className="topbar">
      <button
        type="button"
        className="btn quiet icon-only drawer-only"
        aria-label="Show or hide the palette"
        onClick={() => usePanels.setState((s) => ({ drawer: s.drawer === "palette" ? undefined : "palette" }))}
      >
        <PanelLeft className="icon" />
      </button>
      <Link href="/" className="brand" aria-label="Edgewright">
        <Logo />
        <span className="wide-only">Edgewright</span>
      </Link>
      <span className="divider wide-only" />
      <PipelineMenu />
      <SaveStateLabel />
      <Tabs />
      <span className="grow" />
      <UndoButtons />
      <ThemeButton />
      <TargetPicker />
      <RunButtons />
    </header>
  );
}

function Logo() {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M3 4h7M3 10h5M3 16h7" />
      <path d="m11.5 4 5.5 6-5.5 6" strokeLinecap="round" />
    </svg>
  );
}

function Tabs() {
  const path = usePathname();
  const name = useDoc()?.name;
  const tabs = [
    { title: "Canvas", href: name ? `/pipelines/${name}` : "/", on: path === "/" || path.startsWith("/pipelines") },
    { title: "Runs", href: "/runs", on: path.startsWith("/runs") },
    { title: "Targets", href: "/targets", on: path.startsWith("/targets") },
    { title: "Webcam", href: "/webcam", on: path.startsWith("/webcam") },
  ];
  return (
    <nav className="tabs" aria-label="Pages">
      {tabs.map((tab) => (
        <Link key={tab.title} href={tab.href} aria-current={tab.on ? "page" : undefined}>
          {tab.title}
        </Link>
      ))}
    </nav>
  );
}

function UndoButtons() {
  const undoLabel = useEditor((s) => s.history?.past.at(-1)?.label);
  const redoLabel = useEditor((s) => s.history?.future[0]?.label);
  return (
    <>
      <Tip text={undoLabel ? `Undo: ${undoLabel}` : "Nothing to undo"} keys="mod+z">
        <button
          type="button"
          className="btn quiet icon-only"
          data-testid="undo"
          aria-label={undoLabel ? `Undo: ${undoLabel}` : "Undo"}
          disabled={!undoLabel}
          onClick={editor.undo}
        >
          <Undo2 className="icon" />
        </button>
      </Tip>
      {redoLabel && (
        <Tip text={`Redo: ${redoLabel}`} keys="mod+shift+z">
          <button
            type="button"
            className="btn quiet icon-only"
            data-testid="redo"
            aria-label={`Redo: ${redoLabel}`}
            onClick={editor.redo}
          >
            <Redo2 className="icon" />
          </button>
        </Tip>
      )}
    </>
  );
}

function ThemeButton() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <Tip text={`Change to ${other}`}>
      <button type="button" className="btn quiet icon-only" aria-label={`Change to ${other}`} onClick={toggleTheme}>
        <Contrast className="icon" />
      </button>
    </Tip>
  );
}

function RunButtons() {
  const active = useRun(isActive);
  const empty = useEditor((s) => Object.keys(s.history?.doc.nodes ?? {}).length === 0);
  return (
    <>
      <button
        type="button"
        className="btn primary run"
        data-testid="run"
        disabled={active || empty}
        onClick={() => void startRun()}
      >
        <Play className="icon fill-current" />
        {active ? "Running" : "Run"}
        <Keys keys="mod+enter" className="wide-only" />
      </button>
      <Tip text={active ? "Cancel the run" : "Nothing is running"}>
        <button
          type="button"
          className="btn icon-only stop"
          data-testid="cancel"
          aria-label="Cancel the run"
          disabled={!active}
          onClick={() => void cancelRun()}
        >
          <Square className="icon fill-current" />
        </button>
      </Tip>
    </>
  );
}
