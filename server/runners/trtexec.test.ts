import { describe, expect, it } from "vitest";
import { parseTrtexecVersion, trtexecArguments } from "../../targets/trtexecCommand.ts";
import { layersFromInspector, layersFromLog } from "./engineLayers.ts";
import { readTrtexecOutput } from "./trtexec.ts";

describe("parseTrtexecVersion", () => {
  it.each([
    ["&&&& RUNNING TensorRT.trtexec [TensorRT v100300] # trtexec --help", { major: 10, minor: 3, patch: 0 }],
    ["&&&& RUNNING TensorRT.trtexec [TensorRT v101602] [b10] # trtexec", { major: 10, minor: 16, patch: 2 }],
    ["&&&& RUNNING TensorRT.trtexec [TensorRT v110401] [b3]", { major: 11, minor: 4, patch: 1 }],
    ["&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # ./trtexec", { major: 8, minor: 6, patch: 1 }],
    ["trtexec: command not found", undefined],
  ])("%s", (banner, version) => expect(parseTrtexecVersion(banner)).toEqual(version));
});

describe("trtexecArguments", () => {
  const files = { onnx: "/m/model.onnx", engine: "/m/model.engine" };

  it.each([
    [{ major: 10, minor: 3, patch: 0 }, true],
    [{ major: 10, minor: 16, patch: 2 }, true],
    [{ major: 11, minor: 0, patch: 0 }, false],
  ])("%o asks for strong typing: %s, and never for a precision", (version, strong) => {
    const args = trtexecArguments(version, files);
    expect(args.includes("--stronglyTyped")).toBe(strong);
    expect(args.filter((arg) => /^--(fp16|int8|best|fp8|bf16|calib|workspace)/.test(arg))).toEqual([]);
    expect(args).toContain("--skipInference");
  });

  it("writes an optimization profile for dynamic inputs, quoting names that would split", () => {
    const args = trtexecArguments(
      { major: 10 },
      {
        ...files,
        layerInfo: "/m/layers.json",
        shapes: {
          images: { min: [1, 3, 320, 320], opt: [4, 3, 640, 640], max: [8, 3, 640, 640] },
          "serving:0": { min: [1], opt: [1], max: [1] },
        },
      },
    );
    expect(args).toContain("--minShapes=images:1x3x320x320,'serving:0':1");
    expect(args).toContain("--optShapes=images:4x3x640x640,'serving:0':1");
    expect(args).toContain("--maxShapes=images:8x3x640x640,'serving:0':1");
    expect(args).toContain("--exportLayerInfo=/m/layers.json");
  });
});

describe("readTrtexecOutput", () => {
  const passed = "[11/24/2026-10:00:00] [I] Compute Capability: 8.7\n&&&& PASSED TensorRT.trtexec [TensorRT v100300]";

  it("names the GPU that it built for", () =>
    expect(readTrtexecOutput("trtexec 10.3.0", { code: 0, stdout: passed, stderr: "" })).toBe("8.7"));

  it("hands on the builder's words where it fails", () => {
    const stdout =
      "[11/24/2026-10:00:00] [E] [TRT] ModelImporter.cpp:828: Non-zero zero point\n&&&& FAILED TensorRT.trtexec";
    expect(() => readTrtexecOutput("trtexec 10.3.0", { code: 1, stdout, stderr: "" })).toThrow(
      expect.objectContaining({ code: "tensorrt-refused", message: expect.stringContaining("Non-zero zero point") }),
    );
  });

  it("believes no exit code without the word", () =>
    expect(() => readTrtexecOutput("trtexec", { code: 0, stdout: "", stderr: "" })).toThrow("refuses"));
});

describe("layers of an engine", () => {
  it("reads the build log", () => {
    const log = [
      "Layers:",
      "Name: Conv_0_myl0_1, LayerType: correlation, Inputs: [ { Name: x, Dimensions: [1,3,8,8], Datatype: Int8, Format: (NHWC) Channel major format }], Constants: [ { Name: w, Datatype: Int8 }], Outputs: [ { Name: y, Datatype: Float }], TacticName: stub, StreamId: 0, Metadata: [ONNX Layer: Conv_0][ONNX Layer: /model.0/act/Mul]",
      "Name: __mye1, LayerType: signal, Inputs: [], Constants: [], Outputs: [], TacticName: , StreamId: 0, Metadata: ",
    ].join("\n");
    expect(layersFromLog(log)).toEqual([
      { name: "Conv_0_myl0_1", type: "correlation", precision: "Int8", origins: ["Conv_0", "/model.0/act/Mul"] },
      { name: "__mye1", type: "signal", precision: "", origins: [] },
    ]);
  });

  it.each(["Bindings", "I/O Tensors"])("reads the inspector's JSON with its key %s", (key) => {
    const json = {
      Layers: [
        {
          Name: "conv1",
          LayerType: "CaskConvolution",
          Inputs: [{ Name: "x", "Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format" }],
          Outputs: [{ Name: "y", "Format/Datatype": "Channel major FP16 format where channel % 8 == 0" }],
          Metadata: "[ONNX Layer: Conv_0]\u001e[ONNX Layer: Relu_1]",
        },
        { Name: "conv2", LayerType: "kgen", Inputs: [{ Name: "x", Format: "N/A", Datatype: "Half" }] },
        "bare",
      ],
      [key]: ["x", "y"],
    };
    expect(layersFromInspector(json)).toEqual([
      { name: "conv1", type: "CaskConvolution", precision: "Int8", origins: ["Conv_0", "Relu_1"] },
      { name: "conv2", type: "kgen", precision: "Half", origins: [] },
      { name: "bare", type: "", precision: "", origins: [] },
    ]);
  });
});
