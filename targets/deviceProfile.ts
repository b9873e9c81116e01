/** What Edgewright knows of a device: enough to predict a latency, to run on it where it is at hand, to say what fits. */
import { z } from "zod";
import { FIT_IDS } from "./fits.ts";

const positive = z.number().positive();

export const deviceProfileSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string(),
  /** How a step reaches it: this process, a shell, or not at all (figures are predicted). */
  access: z.enum(["local", "ssh", "agent", "browser", "predicted"]),
  runtime: z.enum(["onnxruntime", "tensorrt", "onnxruntime-web"]),
  /** Dense peaks in operations a second (a multiply-add is two) by precision; absent where the device lacks it. */
  peakOps: z.strictObject({ f32: positive, f16: positive.optional(), i8: positive.optional() }),
  /** Bytes a second between memory and compute. */
  memoryBandwidth: positive.optional(),
  memoryBytes: positive.optional(),
  powerW: positive.optional(),
  /** NVIDIA compute capability, for example `8.7`. */
  computeCapability: z.string().optional(),
  cores: z.int().positive().optional(),
  /** Channels that its kernels compute at once: a layer takes as long as one of the next multiple. */
  channelMultiple: z.int().positive().optional(),
  /** How to predict latencies (`fits.ts`); absent: the fit of the runtime, extrapolated. */
  latency: z
    .strictObject({
      fit: z.enum(FIT_IDS),
      /** "published": rows of this very device are in the fit. */
      evidence: z.enum(["published", "extrapolated"]),
      /** Launch and fixed times relative to the fit's device (a slower host takes longer to launch). */
      overhead: positive.optional(),
    })
    .optional(),
  /** Where the figures are from. */
  source: z.string(),
});
export type DeviceProfile = z.infer<typeof deviceProfileSchema>;
