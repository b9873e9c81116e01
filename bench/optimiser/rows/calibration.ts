/** What calibration with histograms takes at 8, 32 and 64 images: our node alone, and the tools' whole jobs. */
import { runPipeline } from "../edgewright.ts";
import { makeAll, processFigures, type Row, type Variant } from "../row.ts";
import { calibrationImages, type Subject } from "../subjects.ts";
import { ourSettings, writePictures } from "./int8.ts";

const COUNTS = [8, 32, 64];

export function calibrationRow(subject: Subject): Row {
  const id = `${subject.id}-calibration`;
  return {
    id,
    title: `${subject.title}, calibration with histograms at ${COUNTS.join(", ")} images`,
    bar: "<= 250 MB at 64 images, flat; time <= NNCF's",
    bestPeer: "8.2 GB (ORT entropy); 350 MB without histograms (NNCF)",
    async run(bench) {
      const { calibration } = await writePictures(bench, subject);
      const { peers } = bench;
      const variants: Variant[] = [];
      for (const count of COUNTS) {
        const set = {
          ...(await ourSettings(subject, count)),
          "images.source": calibrationImages(),
          "images.limit": 1,
        };
        variants.push({
          name: `calibrate, ${count} images`,
          tool: "edgewright",
          make: () => runPipeline({ pipeline: "person-detection", node: "calibrate", set }),
        });
        if (!peers) continue;
        const job = (script: string, method: string) => (out: string) =>
          peers.run(script, [subject.path, calibration, out, method, count]);
        variants.push(
          { name: `NNCF, ${count} images`, tool: "nncf", make: job("nncf_static.py", "mixed") },
          {
            name: `ORT entropy, ${count} images`,
            tool: "onnxruntime",
            once: true,
            make: job("ort_static.py", "entropy"),
          },
        );
      }
      const made = await makeAll(bench, id, variants);
      return made.map((entry) => processFigures(entry)).map(({ sizeMb: _, found: __, ...figures }) => figures);
    },
  };
}
