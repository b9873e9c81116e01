"use client";
/** A shortcut as the user's keyboard names it: ⌘ on a Mac, Ctrl elsewhere; drawn, for not every font has the signs. */
import { ArrowBigUp, Command, CornerDownLeft, Delete } from "lucide-react";
import { useSyncExternalStore } from "react";

const MARKS = { mod: Command, shift: ArrowBigUp, enter: CornerDownLeft, delete: Delete } as const;
const isMac = () => /Mac|iPhone|iPad/.test(navigator.userAgent);
const never = () => () => {};

interface Props {
  /** `mod+shift+z`: `mod` is ⌘ or Ctrl. */
  readonly keys: string;
  readonly className?: string;
}

export function Keys({ keys, className = "" }: Props) {
  const mac = useSyncExternalStore(never, isMac, () => false);
  return (
    <kbd className={`keys ${className}`}>
      {keys.split("+").map((key) => (
        <Key key={key} name={key} mac={mac} />
      ))}
    </kbd>
  );
}

function Key({ name, mac }: { readonly name: string; readonly mac: boolean }) {
  if (name === "mod" && !mac) return <span>Ctrl</span>;
  if (name === "mod" || name === "shift" || name === "enter" || name === "delete") {
    const Mark = MARKS[name];
    return <Mark className="icon" role="img" aria-label={name === "mod" ? "Command" : name} aria-hidden={false} />;
  }
  return <span>{name.toUpperCase()}</span>;
}
