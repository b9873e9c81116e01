/** Our check against NVIDIA's builder: on each case both must agree, so that a rule that grows stale is seen. */
import { describe, expect, it } from "vitest";
import { openTensorrtRtx } from "../../server/runners/tensorrtRtx.ts";
import { openNodeWorkspace } from "../../test/support/runNode.ts";
import { tensorrtCases } from "../../test/support/tensorrtCases.ts";

describe.skipIf(!process.env.EDGEWRIGHT_TENSORRT_RTX)(
  "TensorRT for RTX judges like our check (needs EDGEWRIGHT_TENSORRT_RTX)",
  () => {
    it.each(tensorrtCases().filter(({ builds }) => builds !== undefined))(
      "$name: builds $builds",
      async ({ model, builds, shapes = {} }) => {
        await using workspace = await openNodeWorkspace();
        const { artifacts, folder } = workspace;
        const builder = await openTensorrtRtx(folder, { artifacts, tempDir: folder });
        if (!builder) throw new Error("EDGEWRIGHT_TENSORRT_RTX names no environment that is set up");
        const ref = await artifacts.saveModel(model);
        const options = { computeCapabilities: ["8.6"], shapes, signal: new AbortController().signal };
        const verdict = await builder.build(ref, options).then(
          () => "built",
          (error: unknown) => error,
        );
        if (builds) expect(verdict).toBe("built");
        else expect(verdict).toMatchObject({ code: "tensorrt-refused", fix: expect.any(String) });
      },
    );
  },
);
