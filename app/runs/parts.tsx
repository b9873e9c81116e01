/** Small things that the cards of a run share. */
import type { ReactNode } from "react";
import type { Sides } from "./reports.ts";

export function Empty({ children }: { readonly children: ReactNode }) {
  return <p className="hint">{children}</p>;
}

/** Which colour is which, where there are both. */
export function Key({ sides }: { readonly sides: Sides<unknown> }) {
  if (!sides.before || !sides.after) return null;
  return (
    <>
      <span className="key">candidate</span>
      <span className="key base">FP32</span>
    </>
  );
}
