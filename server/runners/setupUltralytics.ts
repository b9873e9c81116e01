/** `edgewright setup ultralytics`: an isolated Python environment with Ultralytics' exporter and PyTorch. */
import { makePart, partFolder, partInstall, type SetupOptions } from "./pythonPart.ts";
import { ultralytics } from "./ultralytics.ts";

/** Returns the environment's folder. Does nothing where the pinned version is installed already. */
export async function setupUltralytics(options: SetupOptions): Promise<string> {
  const { home, say } = options;
  const folder = partFolder(ultralytics, home);
  const { version } = ultralytics;
  if ((await partInstall(ultralytics, home))?.version === version) {
    say(`Ultralytics ${version} is set up in ${folder}.`);
    return folder;
  }
  say(`Ultralytics ${version}, the official exporter of YOLO models, with PyTorch, from PyPI.`);
  say(
    "It is Ultralytics', under the AGPL-3.0 or their commercial licence; that holds for models exported with it too.",
  );
  if (process.platform === "linux" && process.arch === "x64") {
    say("PyTorch comes as its build for CPUs; where PyTorch's own index is out of reach, as PyPI's with CUDA:");
    say("then about 3.8 GB are downloaded and 7.4 GB installed.");
  }
  say(`It goes to ${folder}, apart from any other Python; delete that folder to undo.`);
  await makePart(ultralytics, options);
  say("Done: export-pytorch makes ONNX of YOLO weights now.");
  return folder;
}
