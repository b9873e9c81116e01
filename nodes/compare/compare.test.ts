import { describe, expect, it } from "vitest";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { joinReports } from "./join.ts";
import { run } from "./run.ts";

const profile = {
  kind: "profile",
  version: 1,
  provenance: "measured",
  target: "local-cpu",
  p50Ms: 4,
  p99Ms: 5,
  throughput: 240,
  sizeBytes: 1000,
  threads: 1,
  conditions: { cpu: "A", cores: 4, otherProcessesCpuShare: 0.01 },
};
const evaluate = {
  kind: "evaluate",
  version: 1,
  provenance: "measured",
  images: 64,
  mAP: 0.2,
  mAP50: 0.4,
  perClass: { person: { AP: 0.2, AP50: 0.4 } },
};

describe("joinReports", () => {
  it("sets figures side by side, with the ratio and the better one", () => {
    const { rows, warnings } = joinReports(
      [profile, evaluate],
      [
        { ...profile, p50Ms: 2, throughput: 480, sizeBytes: 400 },
        { ...evaluate, mAP50: 0.39 },
      ],
    );
    const find = (label: string) => rows.find((row) => row.label === label);
    expect(find("Latency p50")).toMatchObject({ baseline: 4, candidate: 2, ratio: 0.5, best: "candidate", unit: "ms" });
    expect(find("Throughput")).toMatchObject({ ratio: 2, best: "candidate" });
    expect(find("mAP50")).toMatchObject({ best: "baseline", better: "higher" });
    expect(find("mAP")).toMatchObject({ best: "equal" });
    expect(find("person AP50")).toMatchObject({ baseline: 0.4 });
    expect(find("Latency p90")).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it("keeps an absent figure absent and an estimate an estimate", () => {
    const estimate = {
      kind: "profile",
      provenance: "estimated",
      target: "orin",
      p50Ms: 8,
      interval: { p50Ms: [6, 11] },
    };
    const { rows, warnings } = joinReports([profile], [estimate]);
    expect(rows.find((row) => row.metric === "profile.p50Ms")).toMatchObject({
      provenance: { baseline: "measured", candidate: "estimated" },
      interval: { candidate: [6, 11] },
    });
    const p99 = rows.find((row) => row.metric === "profile.p99Ms");
    expect(p99).not.toHaveProperty("candidate");
    expect(p99).not.toHaveProperty("ratio");
    expect(warnings).toContain("the target differs: local-cpu and orin");
    expect(warnings).toContain("how the latency came about differs: measured and estimated");
  });

  it("flags other machines, other threads and a busy machine", () => {
    const other = { ...profile, threads: 4, conditions: { cpu: "B", cores: 4, otherProcessesCpuShare: 0.5 } };
    expect(joinReports([profile], [other]).warnings).toEqual([
      "the number of threads differs: 1 and 4",
      "the CPU differs: A and B",
      "other programs took 50 % of the CPU while the candidate was timed",
    ]);
  });

  it("shows how near each output of the candidate is", () => {
    const agreement = {
      kind: "agreement",
      provenance: "measured",
      outputs: { out: { cosineMean: 0.998, cosineMin: 0.99 } },
    };
    const rows = joinReports([profile], [profile, agreement]).rows.filter(({ metric }) =>
      metric.startsWith("agreement"),
    );
    expect(rows).toMatchObject([
      { label: "out cosine", candidate: 0.998 },
      { label: "out least cosine", candidate: 0.99 },
    ]);
    expect(rows[0]).not.toHaveProperty("baseline");
  });

  it("divides by no zero, and follows no prototype", () => {
    const { rows } = joinReports([{ ...evaluate, mAP: 0 }], [evaluate]);
    expect(rows.find((row) => row.label === "mAP")).not.toHaveProperty("ratio");
    const odd = { kind: "evaluate", perClass: JSON.parse('{"__proto__": {"AP50": 1}}') };
    expect(joinReports([odd], [odd]).rows).toMatchObject([{ label: "__proto__ AP50", baseline: 1 }]);
  });

  it("refuses two reports of one kind on a side", () =>
    expect(() => joinReports([profile, profile], [profile])).toThrow("two profile reports"));
});

describe("compare", () => {
  it("writes a report, and refuses where nothing compares", async () => {
    await using workspace = await openNodeWorkspace();
    const put = (json: object) => workspace.artifacts.put("report", new TextEncoder().encode(JSON.stringify(json)));
    const [a, b] = [await put(profile), await put({ ...profile, p50Ms: 2 })];
    const { outputs } = await workspace.run(run, { inputs: { baseline: [a], candidate: [b] } });
    if (!outputs.report) throw new Error("no report");
    expect(await workspace.artifacts.readJson(outputs.report)).toMatchObject({
      kind: "compare",
      version: 1,
      provenance: "measured",
    });
    const foreign = await put({ kind: "prune" });
    await expect(workspace.run(run, { inputs: { baseline: [foreign], candidate: [foreign] } })).rejects.toMatchObject({
      code: "nothing-to-compare",
    });
  });
});
