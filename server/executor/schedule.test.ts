import { describe, expect, it } from "vitest";
import { type Need, Schedule } from "./schedule.ts";

const free = { share: async () => () => {}, hold: async () => () => {} };
const cpu: () => Need = () => ({ resources: new Set(["cpu"] as const), measures: false });
const io: () => Need = () => ({ resources: new Set(["io"] as const), measures: false });
const measure: () => Need = () => ({ resources: new Set(["device"] as const), measures: true });
const never = new AbortController().signal;

function started(schedule: Schedule, need: Need, signal = never) {
  const state: { release?: () => void } = {};
  const promise = schedule.acquire(need, signal).then((release) => {
    state.release = release;
  });
  return { state, promise };
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("the schedule", () => {
  it("runs as many as there are cores, and a few that only read and write beside them", async () => {
    const schedule = new Schedule(2, free);
    const units = [cpu(), cpu(), cpu(), io()].map((need) => started(schedule, need));
    await settle();
    expect(units.map(({ state }) => state.release !== undefined)).toEqual([true, true, false, true]);
    units[0]?.state.release?.();
    await settle();
    expect(units[2]?.state.release).toBeDefined();
  });

  it("lets one that measures run alone: after those that are ready, before those that come", async () => {
    const schedule = new Schedule(4, free);
    const measured = started(schedule, measure());
    const beside = started(schedule, cpu());
    await settle();
    expect([measured.state.release, beside.state.release].map(Boolean)).toEqual([false, true]);
    beside.state.release?.();
    await settle();
    expect(measured.state.release).toBeDefined();
    const later = started(schedule, io());
    await settle();
    expect(later.state.release).toBeUndefined();
    measured.state.release?.();
    await settle();
    expect(later.state.release).toBeDefined();
  });

  it("tells who cannot start at once, for others here or elsewhere, and nobody else", async () => {
    const schedule = new Schedule(2, free);
    const told: string[] = [];
    const release = await schedule.acquire(measure(), never, () => told.push("first"));
    const second = schedule.acquire(measure(), never, () => told.push("second"));
    await settle();
    expect(told).toEqual(["second"]);
    release();
    (await second)();
    let unlock = () => {};
    const held = new Promise<() => void>((resolve) => {
      unlock = () => resolve(() => {});
    });
    const busy = new Schedule(2, { ...free, hold: () => held });
    const third = busy.acquire(measure(), never, () => told.push("third"));
    await settle();
    expect(told).toEqual(["second", "third"]);
    unlock();
    await third;
  });

  it("forgets who gives up waiting", async () => {
    const schedule = new Schedule(1, free);
    const first = started(schedule, cpu());
    await settle();
    const abort = new AbortController();
    const second = started(schedule, cpu(), abort.signal);
    await settle();
    abort.abort(new Error("enough"));
    await expect(second.promise).rejects.toThrow("enough");
    const third = started(schedule, cpu());
    first.state.release?.();
    await settle();
    expect(third.state.release).toBeDefined();
  });
});
