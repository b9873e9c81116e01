import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { capabilities, capabilityFixes, partVersions } from "./capabilities.ts";
import { setupTensorrtRtx } from "./setupTensorrtRtx.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "edgewright-setup-"));
  vi.stubEnv("EDGEWRIGHT_TENSORRT_RTX", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

/** A `python3` that is alone in PATH, notes its arguments and does what the script says. */
async function fakePython(script: string): Promise<string> {
  const bin = join(home, "fake-bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "python3"), `#!/bin/sh\necho "$@" >> "${home}/calls"\n${script}\n`);
  await chmod(join(bin, "python3"), 0o755);
  vi.stubEnv("PATH", `${bin}:/bin:/usr/bin`);
  return bin;
}
const setUp = (lines: string[] = []) => setupTensorrtRtx({ home, say: (line) => lines.push(line) });

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("setupTensorrtRtx (on Linux x86-64)", () => {
  it("says what it downloads and whose licence it is, installs the pinned package alone, and is found then", async () => {
    // The environment's own interpreter is the same script, copied.
    const bin = await fakePython(`[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit 0`);
    const lines: string[] = [];
    expect(await capabilities(home)).not.toContain("tensorrt-rtx");
    const folder = await setUp(lines);
    expect(folder).toBe(join(home, "tensorrt-rtx"));
    expect(lines.join("\n")).toMatch(/95 MB[\s\S]*NVIDIA's proprietary licence/);
    const calls = (await readFile(join(home, "calls"), "utf8")).split("\n");
    expect(calls.filter((call) => call.includes("install "))).toEqual([
      "-m pip --disable-pip-version-check --no-input install tensorrt-rtx-cu13==1.7.1.116",
    ]);
    expect([...(await capabilities(home))].sort()).toEqual(["tensorrt", "tensorrt-rtx"]);
    expect(await partVersions(home, ["tensorrt", "trtexec"])).toEqual({ tensorrt: "tensorrt-rtx 1.7.1.116" });
    await rm(bin, { recursive: true });
    expect(await setUp()).toBe(folder);
  });

  it("leaves no half-made environment that looks ready", async () => {
    await fakePython(
      `[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; [ "$2" = pip ] && { echo "no network" >&2; exit 1; }; exit 0`,
    );
    await expect(setUp()).rejects.toMatchObject({
      code: "setup-failed",
      message: expect.stringContaining("no network"),
    });
    expect((await capabilities(home)).size).toBe(0);
  });

  it("names what to install where Python or its modules are missing", async () => {
    vi.stubEnv("PATH", join(home, "empty"));
    await expect(setUp()).rejects.toMatchObject({ code: "no-python" });
    await fakePython("exit 1");
    await expect(setUp()).rejects.toMatchObject({ code: "no-venv", fix: expect.stringContaining("python3-venv") });
    await fakePython("exit 9");
    await expect(setUp()).rejects.toMatchObject({ code: "old-python" });
  });
});

it("knows a fix for every part that a node may require", () => {
  for (const part of ["tensorrt", "tensorrt-rtx", "trtexec"]) expect(capabilityFixes[part]).toContain("kit");
});
