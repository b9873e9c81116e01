import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { capabilities, capabilityFixes, partVersions } from "./capabilities.ts";
import { setupUltralytics } from "./setupUltralytics.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "edgewright-setup-"));
  vi.stubEnv("EDGEWRIGHT_ULTRALYTICS", "");
  vi.stubEnv("PATH", `${join(home, "fake-bin")}:/bin:/usr/bin`);
  await mkdir(join(home, "fake-bin"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

/** A program first in PATH that notes its arguments and does what the script says. */
async function fake(name: string, script: string): Promise<string> {
  const path = join(home, "fake-bin", name);
  await writeFile(path, `#!/bin/sh\necho "${name} $@" >> "${home}/calls"\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}
const calls = async () => (await readFile(join(home, "calls"), "utf8")).split("\n");
const setUp = (lines: string[] = []) => setupUltralytics({ home, say: (line) => lines.push(line) });

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("setupUltralytics (on Linux x86-64)", () => {
  it("asks for PyTorch's CPU build first; out of reach it takes PyPI's and says so", async () => {
    await fake(
      "python3",
      `[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
case "$*" in *--index-url*) echo "no route" >&2; exit 1;; esac`,
    );
    const lines: string[] = [];
    const folder = await setUp(lines);
    const installs = (await calls()).filter((call) => call.includes(" install "));
    expect(installs).toHaveLength(2);
    expect(installs[0]).toMatch(
      /--index-url https:\/\/download\.pytorch\.org\/whl\/cpu torch==[\d.]+ torchvision==[\d.]+$/,
    );
    expect(installs[1]).toMatch(/install torch==[\d.]+ torchvision==[\d.]+ ultralytics==[\d.]+ onnx==[\d.]+$/);
    expect(lines.join("\n")).toMatch(/AGPL-3\.0[\s\S]*3\.8 GB[\s\S]*come from PyPI instead/);
    expect(folder).toBe(join(home, "ultralytics"));
    expect(await capabilities(home)).toContain("ultralytics");
    expect(await partVersions(home, ["ultralytics"])).toEqual({
      ultralytics: expect.stringMatching(/^ultralytics 8\./),
    });
  });

  it("lets uv make the environment where there is one", async () => {
    const python = await fake("python3", "exit 0");
    await fake("uv", `for last; do :; done; mkdir -p "$last/bin"; cp ${python} "$last/bin/python"`);
    const folder = await setUp();
    expect((await calls())[0]).toBe(`uv venv --seed --python >=3.10 ${folder}`);
    expect(await calls()).not.toContainEqual(expect.stringContaining("-m venv"));
  });

  it("says what to install where there is no Python, and leaves nothing that looks ready", async () => {
    vi.stubEnv("PATH", join(home, "empty"));
    await expect(setUp()).rejects.toMatchObject({ code: "no-python", fix: "Install Python 3.10 or newer, or uv." });
    expect(await capabilities(home)).not.toContain("ultralytics");
    expect(capabilityFixes.ultralytics).toContain("edgewright setup ultralytics");
  });
});
