/** Ultralytics' ONNX exporter in an environment of its own: of a shipped description, with weights read as tensors alone. */
import { z } from "zod";
import type { PytorchExport, PytorchExporter, PytorchExportOptions } from "../../nodes/context.ts";
import { OperationalError, UserError } from "../../nodes/context.ts";
import { projectFile, runProgram } from "./programs.ts";
import { type PythonPart, partInstall } from "./pythonPart.ts";
import type { BuilderHome } from "./trtexec.ts";

const TORCH = ["torch==2.9.1", "torchvision==0.24.1"];
/** PyPI's wheels for Linux on x86-64 bring CUDA along; PyTorch's own index has builds without it. */
const cpuBuilds = { packages: TORCH, index: "https://download.pytorch.org/whl/cpu" };

export const ultralytics: PythonPart = {
  name: "ultralytics",
  variable: "EDGEWRIGHT_ULTRALYTICS",
  version: "8.4.190",
  installs: [
    ...(process.platform === "linux" && process.arch === "x64" ? [cpuBuilds] : []),
    { packages: [...TORCH, "ultralytics==8.4.190", "onnx==1.20.1"] },
  ],
  minor: 10,
  probe: "import os; os.environ['YOLO_OFFLINE'] = 'true'; import onnx, torch, ultralytics.nn.tasks",
};

const answerSchema = z.union([
  z.object({ error: z.object({ stage: z.enum(["architecture", "weights", "export"]), message: z.string() }) }),
  z.object({
    exporter: z.string(),
    model: z.string(),
    parameters: z.int(),
    classes: z.array(z.string()),
    tensors: z.int().nullable(),
  }),
]);

/** `home` is the workspace's state folder. Undefined where the environment is not set up. */
export async function openUltralytics(home: string, place: BuilderHome): Promise<PytorchExporter | undefined> {
  const install = await partInstall(ultralytics, home);
  if (!install) return undefined;
  return {
    name: `ultralytics ${install.version}`,
    export: (options) => exportModel(install.python, place, options),
  };
}

async function exportModel(
  python: string,
  { artifacts, tempDir }: BuilderHome,
  { weights, signal, ...options }: PytorchExportOptions,
): Promise<PytorchExport> {
  const request = { ...options, weights: weights ? await artifacts.filePath(weights) : null, outDir: tempDir };
  const { code, stdout, stderr } = await runProgram(
    python,
    ["-I", projectFile("server/runners/ultralyticsDriver.py")],
    {
      input: `${JSON.stringify(request)}\n`,
      signal,
    },
  );
  if (code !== 0) {
    throw new OperationalError(
      "exporter-crashed",
      `Ultralytics ended with ${code === null ? "a signal" : `code ${code}`}: ${stderr.trim().split("\n").slice(-3).join(" ")}`,
      "Run `edgewright setup ultralytics` again.",
    );
  }
  const answer = answerSchema.parse(JSON.parse(stdout));
  if ("error" in answer) throw refusal(answer.error);
  const { model, tensors, ...rest } = answer;
  return {
    ...rest,
    model: { kind: "model", ...(await artifacts.putFile(model)) },
    ...(tensors !== null && { tensors }),
  };
}

const FIXES = {
  architecture: "Choose another architecture.",
  weights: "Set architecture to what the weights were trained as, and give the file as Ultralytics saved it.",
  export: "Try another opset or size.",
} as const;

function refusal({ stage, message }: { readonly stage: keyof typeof FIXES; readonly message: string }): UserError {
  const what = stage === "weights" ? `the weights cannot be used: ${message}` : message;
  return new UserError(`bad-${stage}`, what, FIXES[stage]);
}
