import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeviceLock } from "./deviceLock.ts";

let parent = "";
let folder = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "edgewright-lock-"));
  folder = join(parent, `edgewright-${userInfo().uid}`, "cpu");
  mkdirSync(folder, { recursive: true });
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const within = (ms: number) => AbortSignal.timeout(ms);
/** Another living process: the one that started this one. */
const other = process.ppid;

describe("the device lock", () => {
  it("is shared by many of one process, and held by one", async () => {
    const lock = new DeviceLock("cpu", parent);
    const releases = [await lock.share(within(1000)), await lock.share(within(1000))];
    for (const release of releases) release();
    const release = await lock.hold(within(1000));
    await expect(new DeviceLock("cpu", parent).hold(within(250))).rejects.toThrow();
    release();
    (await new DeviceLock("cpu", parent).hold(within(1000)))();
  });

  it("waits for other processes: to measure for those that run, to run for one that measures", async () => {
    const lock = new DeviceLock("cpu", parent);
    writeFileSync(join(folder, `shared-${other}`), "");
    await expect(lock.hold(within(250))).rejects.toThrow();
    (await lock.share(within(1000)))();
    rmSync(join(folder, `shared-${other}`));
    writeFileSync(join(folder, "exclusive"), String(other));
    await expect(lock.share(within(250))).rejects.toThrow();
  });

  it("takes over what dead processes left, their ids used again or not", async () => {
    const lock = new DeviceLock("cpu", parent);
    writeFileSync(join(folder, "exclusive"), String(2 ** 22 + 1));
    writeFileSync(join(folder, `shared-${2 ** 22 + 1}`), "");
    (await lock.hold(within(1000)))();
    writeFileSync(join(folder, "exclusive"), String(process.pid));
    (await lock.hold(within(1000)))();
    // Written before that process began: its id was another's then.
    writeFileSync(join(folder, "exclusive"), String(other));
    utimesSync(join(folder, "exclusive"), 1, 1);
    (await lock.hold(within(1000)))();
  });
});
