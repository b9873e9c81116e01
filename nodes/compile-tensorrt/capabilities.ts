/**
 * For which GPU an engine is. Where nobody said, it is the target's own and nothing else: an engine for another GPU shows
 * only that the builder takes the model, so it is built on demand and called evidence.
 */
import type { DeviceProfile } from "../../targets/deviceProfile.ts";
import { UserError } from "../context.ts";
import type { CompileTensorrtParams } from "./schema.ts";

/** RTX 30: stands for a GPU where this machine's is not known. */
const STAND_IN = "8.6";
const EVIDENCE = `set computeCapabilities (for example ["${STAND_IN}"]) to build an engine for an RTX GPU as evidence that TensorRT takes the model`;

/** Throws where the target has no use for an engine and none is asked for as evidence. */
export function refuseTarget(target: DeviceProfile, { computeCapabilities }: CompileTensorrtParams): void {
  if (target.access === "local" || target.runtime === "tensorrt" || computeCapabilities.length > 0) return;
  throw new UserError(
    "no-tensorrt-target",
    `${target.name} runs ${target.runtime}, so no TensorRT engine is for it`,
    `Take compile-onnxruntime there, or a target with TensorRT; or ${EVIDENCE}.`,
  );
}

/** What to build for; empty leaves it to a builder that only knows the GPU of its own machine, or to a kit. */
export function capabilitiesFor(
  { access, computeCapability }: DeviceProfile,
  { computeCapabilities }: CompileTensorrtParams,
  builder: string | undefined,
): string[] {
  if (computeCapabilities.length > 0) return computeCapabilities;
  if (computeCapability !== undefined) return [computeCapability];
  return access === "local" && builder === "tensorrt-rtx" ? [STAND_IN] : [];
}

/** What engines for other GPUs than the target's are worth; undefined where each is for the target. */
export function evidenceFor(
  target: DeviceProfile,
  engines: readonly { readonly computeCapability: string }[],
  ofThisGpu: boolean,
): string | undefined {
  const others = engines.map((engine) => engine.computeCapability).filter((own) => own !== target.computeCapability);
  if (others.length === 0 || ofThisGpu) return undefined;
  const what = others.length > 1 ? "The engines" : "The engine";
  return `${what} for compute capability ${others.join(", ")} ${others.length > 1 ? "are" : "is"} evidence that the builder takes this model, and in which precision; ${target.name} does not run ${others.length > 1 ? "them" : "it"}.`;
}
