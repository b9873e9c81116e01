/** How a calibration stands, in a line that a terminal and a node's face can show while the images pass. */
import type { Calibrator } from "../../onnx/passes/calibrate/calibrate.ts";

const BARS = "▁▂▃▄▅▆▇█";

/** `228/232 ranges stand, last to widen: conv1 -3.2 ▁▂▅█▅▁ 7.1`, the bars by the square root of their counts. */
export function standing({ settled, tensors, last }: ReturnType<Calibrator["view"]>): string {
  const { name, min, max, histogram } = last;
  const roots = Array.from(histogram.counts, Math.sqrt);
  const most = Math.max(1, ...roots);
  const bars = roots.map((root) => (root === 0 ? " " : BARS[Math.ceil((root / most) * BARS.length) - 1])).join("");
  return `${settled}/${tensors} ranges stand, last to widen: ${name} ${figure(min)} ${bars} ${figure(max)}`;
}

function figure(x: number): string {
  return String(Number(x.toPrecision(3)));
}
