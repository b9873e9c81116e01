/** TensorRT for RTX through its Python binding in an environment of its own: builds engines with no GPU present. */
import { basename } from "node:path";
import { z } from "zod";
import type { Artifacts, BuiltEngine, EngineBuildOptions, TensorRtBuilder } from "../../nodes/context.ts";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { layersFromLog } from "./engineLayers.ts";
import { onnxPath } from "./onnxPath.ts";
import { projectFile, runProgram } from "./programs.ts";
import { type PythonPart, partInstall } from "./pythonPart.ts";
import type { BuilderHome } from "./trtexec.ts";

const answerSchema = z.object({
  version: z.string(),
  error: z.object({ stage: z.enum(["request", "parse", "build"]), messages: z.array(z.string()) }).optional(),
  engines: z
    .array(z.object({ computeCapability: z.string(), path: z.string(), seconds: z.number(), layers: z.string() }))
    .default([]),
  warnings: z.array(z.string()).default([]),
});
type Answer = z.infer<typeof answerSchema>;

export const tensorrtRtx: PythonPart = {
  name: "tensorrt-rtx",
  variable: "EDGEWRIGHT_TENSORRT_RTX",
  version: "1.7.1.116",
  installs: [{ packages: ["tensorrt-rtx-cu13==1.7.1.116"] }],
  minor: 9,
  probe: "import tensorrt_rtx as trt; trt.Builder(trt.Logger())",
};

/** `home` is the workspace's state folder. Undefined where the environment is not set up. */
export async function openTensorrtRtx(
  home: string,
  { artifacts, tempDir }: BuilderHome,
): Promise<TensorRtBuilder | undefined> {
  const install = await partInstall(tensorrtRtx, home);
  if (!install) return undefined;
  return {
    name: `tensorrt-rtx ${install.version}`,
    async build(ref, options) {
      const onnx = await onnxPath(artifacts, ref);
      const answer = await drive(install.python, { onnx, outDir: tempDir }, options);
      if (answer.error) throw refusal(answer);
      return { engines: await storeEngines(artifacts, answer), warnings: answer.warnings };
    },
  };
}

async function drive(python: string, files: { onnx: string; outDir: string }, options: EngineBuildOptions) {
  const { computeCapabilities, shapes, signal } = options;
  const { code, stdout, stderr } = await runProgram(
    python,
    ["-I", projectFile("server/runners/tensorrtRtxDriver.py")],
    { input: `${JSON.stringify({ ...files, computeCapabilities, shapes })}\n`, signal },
  );
  if (code === 0) return answerSchema.parse(JSON.parse(stdout));
  throw new OperationalError(
    "builder-crashed",
    `TensorRT for RTX ended with ${code === null ? "a signal" : `code ${code}`}: ${stderr.trim().split("\n").slice(-3).join(" ")}`,
    "Run `edgewright setup tensorrt-rtx` again; if it happens with one model only, that model crashes the builder.",
  );
}

async function storeEngines(artifacts: Artifacts, answer: Answer): Promise<Record<string, BuiltEngine>> {
  const engines: Record<string, BuiltEngine> = {};
  for (const { computeCapability, path, seconds, layers } of answer.engines) {
    const stored = await artifacts.putFile(path);
    engines[basename(path)] = {
      ...stored,
      computeCapability,
      layers: layersFromLog(layers),
      buildSeconds: seconds,
    };
  }
  return engines;
}

function refusal({ version, error }: Answer): UserError {
  const messages = error?.messages.join("; ") ?? "";
  if (error?.stage === "request") {
    return new UserError(
      "unsupported-capability",
      `TensorRT for RTX ${version}: ${messages}`,
      "Build on the device itself (Jetson Orin is 8.7, H100 9.0): builder = kit gives the ONNX and the command. Or set computeCapabilities to one of these to build an engine for an RTX GPU as evidence.",
    );
  }
  return new UserError(
    "tensorrt-refused",
    `TensorRT for RTX ${version} refuses the model: ${messages}`,
    fixFor(messages),
  );
}

/** Builders of several versions word the same refusal differently, so the meaning is matched. */
function fixFor(messages: string): string {
  if (/zero.?point|symmetric quantization|type Int32 but must have/i.test(messages)) {
    return "Quantize with layout tensorrt: signed, symmetric, bias in float.";
  }
  if (/no optimization profile/i.test(messages)) return "Give the dynamic inputs their shapes (min, opt, max).";
  if (/same input types/i.test(messages)) return "Cast both inputs of that node to one type: quantize with mode fp16.";
  if (/plugin not found|UNSUPPORTED_NODE|no runners that implement/i.test(messages)) {
    return "Take the named node out of the model (run NMS as a node of the pipeline), or replace its operator.";
  }
  return "Change the node that it names, or simplify the model first.";
}
