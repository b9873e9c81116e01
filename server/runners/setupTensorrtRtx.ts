/** `edgewright setup tensorrt-rtx`: an isolated Python environment with NVIDIA's builder, and nothing else in it. */
import { UserError } from "../../nodes/context.ts";
import { makePart, partFolder, partInstall, type SetupOptions } from "./pythonPart.ts";
import { tensorrtRtx } from "./tensorrtRtx.ts";

/** Returns the environment's folder. Does nothing where the pinned version is installed already. */
export async function setupTensorrtRtx(options: SetupOptions): Promise<string> {
  const { home, say } = options;
  const folder = partFolder(tensorrtRtx, home);
  const { version, installs } = tensorrtRtx;
  if ((await partInstall(tensorrtRtx, home))?.version === version) {
    say(`TensorRT for RTX ${version} is set up in ${folder}.`);
    return folder;
  }
  refuseOtherSystems();
  const packages = installs.flatMap((install) => install.packages).join(", ");
  say(`TensorRT for RTX ${version}: downloads ${packages} from PyPI (about 95 MB; 240 MB installed).`);
  say("It is NVIDIA's, under NVIDIA's proprietary licence; by installing it you accept its terms (LICENSE.txt in it).");
  say(`It goes to ${folder}, apart from any other Python; delete that folder to undo.`);
  await makePart(tensorrtRtx, options);
  say("Done: compile-tensorrt builds engines now, with no GPU needed.");
  return folder;
}

function refuseOtherSystems(): void {
  if (process.arch === "x64" && (process.platform === "linux" || process.platform === "win32")) return;
  throw new UserError(
    "unsupported-system",
    `NVIDIA publishes TensorRT for RTX for Linux and Windows on x86-64 only, and this is ${process.platform} ${process.arch}`,
    "Set it up on such a machine, or use compile-tensorrt with builder = kit.",
  );
}
