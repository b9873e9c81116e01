/** Asks for a file or folder of a kind and uploads it; undefined where the user chose none or the server refused it. */

import { messageOf } from "../shell/sentence.ts";
import { pickFiles, uploadFile, uploadFolder } from "../shell/upload.ts";
import { say } from "../shell/useNotices.ts";
import type { SourceKind } from "./formModel.ts";

const ACCEPT: Record<SourceKind, string> = {
  model: ".onnx",
  images: "",
  labels: ".json,.txt",
  video: "video/*",
  file: "",
};

export async function chooseSource(kind: SourceKind, folder: boolean): Promise<string | undefined> {
  try {
    const files = await pickFiles(ACCEPT[kind], folder);
    const [first] = files;
    if (!first) return undefined;
    return await (folder ? uploadFolder(files) : uploadFile(first));
  } catch (error) {
    say({ tone: "bad", text: messageOf(error) });
    return undefined;
  }
}
