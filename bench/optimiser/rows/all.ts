/** Every row, with the bar and the best peer that the optimiser's issue sets. */
import type { Row } from "../row.ts";
import { detectors } from "../subjects.ts";
import { int8Row } from "./int8.ts";

export function allRows(): readonly Row[] {
  const { fastestdet, yolox, rfb, person } = detectors();
  return [
    int8Row({
      id: "yolox-int8",
      subject: yolox,
      layout: "onnxruntime-x86",
      bar: "mAP >= .325 and >= 1.10x and <= .36 of the size",
      bestPeer: ".336 at 0.49x (NNCF), or .232 at 1.01x (AIMET)",
    }),
    int8Row({
      id: "fastestdet-int8",
      subject: fastestdet,
      layout: "onnxruntime-x86",
      bar: "mAP >= .193 and >= 1.05x and <= .42 of the size",
      bestPeer: ".200 at 0.91x (Quark AdaRound)",
    }),
    int8Row({
      id: "rfb-int8",
      subject: rfb,
      layout: "onnxruntime-x86",
      bar: "scores/boxes >= 43/45 dB at >= 1.0x",
      bestPeer: "43.9/47.1 dB at 0.29x (NNCF); 42.4/43.3 at 0.90x (ORT)",
    }),
    int8Row({ id: "person-int8", subject: person, layout: "onnxruntime-x86" }),
    int8Row({ id: "yolox-signed", subject: yolox, layout: "tensorrt", bar: "mAP >= .325", bestPeer: ".334 (NNCF)" }),
    int8Row({
      id: "fastestdet-signed",
      subject: fastestdet,
      layout: "tensorrt",
      bar: "mAP >= .193",
      bestPeer: ".198 (NNCF)",
    }),
    int8Row({
      id: "rfb-signed",
      subject: rfb,
      layout: "tensorrt",
      bar: "scores/boxes >= 43/45 dB",
      bestPeer: "43.7/46.3 dB (NNCF)",
    }),
  ];
}
