/** The mark of a kind of port: shape and colour always together, so that neither alone must be told apart. */
import type { ReactNode } from "react";
import type { PortKind } from "../../nodes/ports.ts";

const SHAPES: Record<PortKind, ReactNode> = {
  model: <circle cx="6" cy="6" r="4.5" />,
  engine: <path d="M6 .8 11.2 6 6 11.2 .8 6z" />,
  calibration: <path d="M6 1.3 11 10.2H1z" />,
  images: <rect x="1.7" y="1.7" width="8.6" height="8.6" rx=".5" />,
  settings: <circle cx="6" cy="6" r="3.5" />,
  report: <rect x=".8" y="3.3" width="10.4" height="5.4" rx="1" />,
  frames: (
    <>
      <circle cx="6" cy="6" r="4.6" fill="var(--surface-1)" />
      <circle cx="6" cy="6" r="1.8" />
    </>
  ),
  tensors: <path d="M3.4 1.4h5.2L11.2 6 8.6 10.6H3.4L.8 6z" />,
  detections: <path d="M6 .9 11.1 4.7 9.2 10.6H2.8L.9 4.7z" />,
};

export function PortSymbol({ kind }: { readonly kind: PortKind }) {
  return (
    <svg className={`port-symbol k-${kind}`} viewBox="0 0 12 12" aria-hidden="true">
      {SHAPES[kind]}
    </svg>
  );
}
