/** What the network found, once an NMS has told; until then its answer: where it is strongest, or the matrix it gave. */
import { BoxesFace } from "../boxesFace.tsx";
import type { FaceProps } from "../face.ts";

const GAP = 6;

export function Face(props: FaceProps) {
  const detections = props.downstream("detections");
  return detections ? <BoxesFace {...props} detections={detections} /> : <Answers {...props} />;
}

function Answers({ previews, large }: FaceProps) {
  const shown = previews.slice(0, 2);
  if (shown.length === 0) return null;
  const width = (216 - GAP * (shown.length - 1)) / shown.length;
  return (
    <svg
      viewBox="0 0 216 96"
      width="100%"
      height={large ? "100%" : 96}
      role="img"
      aria-label="Outputs of the first frames, light where they are high"
    >
      {shown.map((href, i) => (
        <image
          key={href}
          href={href}
          x={i * (width + GAP)}
          width={width}
          height={96}
          preserveAspectRatio="xMidYMid meet"
          style={{ imageRendering: "pixelated" }}
        />
      ))}
    </svg>
  );
}
