/** Every row, with the bar and the best peer that the optimiser's issue sets. */

import { dataPath } from "../../../test/support/data.ts";
import type { Row } from "../row.ts";
import { detectors } from "../subjects.ts";
import { calibrationRow } from "./calibration.ts";
import { int8Row } from "./int8.ts";
import { miniLmRow } from "./minilm.ts";
import { pruneRow } from "./prune.ts";
import { encoderShapesRow, shapesRow } from "./shapes.ts";
import { simplifyRow } from "./simplify.ts";
import { streamingRow } from "./streaming.ts";

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
    miniLmRow({
      id: "minilm-int8",
      node: "int8",
      bar: "cosine >= .998/.995 at >= 2.4x, <= 24 MB",
      bestPeer: ".9938/.9876 at 2.43x, 22.8 MB (ORT dynamic)",
    }),
    miniLmRow({
      id: "minilm-int4",
      node: "int4",
      bar: "cosine mean >= .985 at >= 1.03x, <= 15 MB",
      bestPeer: ".9794 at 0.31x (HQQ); .9766 at 1.03x, 14.6 MB (RTN)",
    }),
    streamingRow,
    calibrationRow(yolox),
    pruneRow({
      id: "rfb-prune",
      subject: rfb,
      shares: [0.94, 0.81, 0.62, 0.57],
      bar: "scores >= 22.9 dB at .81, >= 18.4 dB at .62",
      bestPeer: "magnitude: 15.5 and 13.9 dB",
    }),
    ...[fastestdet, yolox, person].map((subject) =>
      pruneRow({ id: `${subject.id}-prune`, subject, shares: [0.9, 0.8, 0.7] }),
    ),
    ...SIMPLIFIED.map(([id, title, most, file]) =>
      simplifyRow({
        id: `${id}-simplify`,
        title,
        bar: `at most ${most} nodes, outputs within 1e-5, <= 0.6 s`,
        model: async ({ peers }) => (file ? dataPath(file) : peers?.graph(id)),
      }),
    ),
    ...["yolov8n", "yolov10n", "vit-tiny"].map(shapesRow),
    encoderShapesRow("bert-small"),
  ];
}

/** Nodes: of the best peer in standard operators. Those without a file have random weights. */
const SIMPLIFIED: readonly (readonly [id: string, title: string, most: number, file?: string])[] = [
  ["fastestdet", "FastestDet", 184, "models/fastestdet.onnx"],
  ["rfb", "RFB-320", 125, "models/rfb-320.onnx"],
  ["yolox", "YOLOX-Nano", 362, "models/yolox-nano.onnx"],
  ["minilm", "MiniLM-L6", 219, "models/minilm-l6.onnx"],
  ["yolov8n", "YOLOv8n", 233],
  ["yolov10n", "YOLOv10n", 308],
  ["yolo11n", "YOLO11n", 320],
];
