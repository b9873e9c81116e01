/** Short messages at the foot of the screen: what was refused or failed, said once, gone after a while. */
import { create } from "zustand";

export interface Notice {
  readonly id: number;
  readonly tone: "info" | "bad";
  readonly text: string;
  readonly fix?: string;
}

const SHOWN_MS = 8000;
let lastId = 0;

export const useNotices = create<{ readonly notices: readonly Notice[] }>(() => ({ notices: [] }));

/** Gives the id to `dismiss` it by. */
export function say(notice: Omit<Notice, "id">): number {
  const id = ++lastId;
  useNotices.setState((s) => ({ notices: [...s.notices.slice(-2), { ...notice, id }] }));
  setTimeout(() => dismiss(id), SHOWN_MS);
  return id;
}

export function dismiss(id: number): void {
  useNotices.setState((s) => ({ notices: s.notices.filter((n) => n.id !== id) }));
}
