import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryStore } from "../../test/support/temporaryStore.ts";
import { BORROW_FROM } from "./blobs.ts";

describe("large files of the user's", () => {
  /** Sparse: of the size from which on files are not copied, for no disk. */
  function large(root: string, text: string) {
    mkdirSync(join(root, "big"), { recursive: true });
    const path = join(root, "big", "model.data");
    writeFileSync(path, text);
    truncateSync(path, BORROW_FROM);
    return path;
  }

  it("stay where they are, and are read there", async () => {
    const { root, home, ingest, artifacts, blobs } = temporaryStore();
    const path = large(root, "weights");
    const [file] = await ingest.resolve("big/model.data");
    if (!file) throw new Error("no file");
    expect(file.size).toBe(BORROW_FROM);
    expect(readdirSync(join(home, "blobs"))).toEqual([]);
    expect(await artifacts.filePath(file)).toBe(path);
    expect(new TextDecoder().decode(await (await artifacts.source(file)).read(0, 7))).toBe("weights");
    expect(file.digest).toBe(createHash("sha256").update(readFileSync(path)).digest("hex"));
    expect((await ingest.resolve("big/model.data"))[0]?.digest).toBe(file.digest);
    expect(await blobs.has(file.digest)).toBe(true);
  });

  it("are gone from the store once they change, under a reader too", async () => {
    const { root, ingest, artifacts, blobs } = temporaryStore();
    const path = large(root, "weights");
    const [file] = await ingest.resolve("big/model.data");
    if (!file) throw new Error("no file");
    const source = await artifacts.source(file);
    const tree = await artifacts.putTree("model", { "model.data": file });
    const folder = await artifacts.path(tree);
    large(root, "changed");
    await expect(source.read(0, 7)).rejects.toMatchObject({ code: "missing-blob" });
    await expect(artifacts.path(tree)).rejects.toMatchObject({ code: "missing-blob" });
    expect(await blobs.has(file.digest)).toBe(false);
    const [other] = await ingest.resolve("big/model.data");
    expect(other?.digest).not.toBe(file.digest);
    // The same bytes again: not the folder whose link saw the change.
    rmSync(path);
    large(root, "weights");
    await ingest.resolve("big/model.data");
    const again = await artifacts.path(tree);
    expect(again).not.toBe(folder);
    expect(readFileSync(join(again, "model.data")).subarray(0, 7).toString()).toBe("weights");
  });
});
