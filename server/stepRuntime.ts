/** What a step works with on this machine, wired together: the store, onnxruntime, a TensorRT builder and an exporter where there are. */
import type { StepRuntime } from "./executor/stage.ts";
import { openTensorRtBuilder } from "./runners/capabilities.ts";
import { createOrtEvaluator } from "./runners/ortEvaluator.ts";
import { createOrtRunner } from "./runners/ortRunner.ts";
import { openUltralytics } from "./runners/ultralytics.ts";
import { createArtifacts } from "./storage/artifacts.ts";
import { BlobStore } from "./storage/blobs.ts";

export function createStepRuntime({ home, tempDir }: { readonly home: string; readonly tempDir: string }): StepRuntime {
  const artifacts = createArtifacts(new BlobStore(home));
  return {
    artifacts,
    runner: createOrtRunner({ artifacts, tempDir }),
    evaluator: createOrtEvaluator({ tempDir }),
    pytorchExporter: () => openUltralytics(home, { artifacts, tempDir }),
    tensorRt: (name) => openTensorRtBuilder(home, { artifacts, tempDir }, name),
  };
}
