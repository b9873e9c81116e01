/** The keys of the canvas. None acts while the user types in a field. */
import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { nodeDefs } from "../../nodes/registry.gen.ts";
import type { AddMenuAt } from "./AddMenu.tsx";
import {
  addAfterSelection,
  copySelection,
  deleteSelection,
  duplicateSelection,
  onlySelected,
  paste,
  placeAfter,
  selectAll,
} from "./actions.ts";
import { lendConverter } from "./centreOfView.ts";
import { portY } from "./nodeGeometry.ts";
import { currentDoc, editor } from "./useEditor.ts";

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
const inOverlay = (target: EventTarget | null) =>
  target instanceof Element && target.closest("[role=dialog],[role=alertdialog],[role=menu]") !== null;

export function useShortcuts(openMenu: (at: AddMenuAt) => void): void {
  const { screenToFlowPosition, flowToScreenPosition } = useReactFlow();

  useEffect(() => lendConverter(screenToFlowPosition), [screenToFlowPosition]);

  useEffect(() => {
    const openAfter = () =>
      addAfterSelection((loose) => {
        const flow = placeAfter(loose.node);
        // The menu's place is where the wire will end; the node's port then stands there.
        const ports = Object.keys(nodeDefs[currentDoc()?.nodes[loose.node]?.type ?? ""]?.outputs ?? {});
        const end = { x: flow.x, y: flow.y + portY(Math.max(0, ports.indexOf(loose.port))) };
        openMenu({ screen: flowToScreenPosition(end), flow: end, loose });
      });
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyping(event.target) || inOverlay(event.target)) return;
      const command = event.metaKey || event.ctrlKey;
      const key = event.key.toLowerCase();
      const act = (action: () => unknown) => {
        event.preventDefault();
        action();
      };
      if (command && key === "z") act(event.shiftKey ? editor.redo : editor.undo);
      else if (command && key === "y") act(editor.redo);
      else if (command && key === "d") act(duplicateSelection);
      else if (command && key === "a") act(selectAll);
      else if (!command && (key === "delete" || key === "backspace")) act(deleteSelection);
      else if (key === "escape") editor.select([]);
      else if (key === "tab" && !event.shiftKey && onlySelected() && onCanvas(event.target)) act(openAfter);
    };
    const onCopy = (event: ClipboardEvent) => {
      const text = isTyping(event.target) || getSelection()?.toString() ? undefined : copySelection();
      if (!text) return;
      event.clipboardData?.setData("text/plain", text);
      event.preventDefault();
    };
    const onCut = (event: ClipboardEvent) => {
      onCopy(event);
      if (event.defaultPrevented) deleteSelection();
    };
    const onPaste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain");
      if (text && !isTyping(event.target) && paste(text)) event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCut);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCut);
      document.removeEventListener("paste", onPaste);
    };
  }, [openMenu, flowToScreenPosition]);
}

/** Tab walks through buttons and fields as everywhere; on a node or the bare canvas it adds. */
function onCanvas(target: EventTarget | null): boolean {
  return (
    target === document.body ||
    (target instanceof Element && target.closest(".react-flow__node, .react-flow__pane") !== null)
  );
}
