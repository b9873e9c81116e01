/** Runs models and compares what they compute; tolerances are compulsory. */
import { expect } from "vitest";
import { DataType } from "../../onnx/ir/dataType.ts";
import type { Model } from "../../onnx/ir/graph.ts";
import type { HostTensor, HostTensors } from "../../onnx/ir/hostTensor.ts";
import { elementCount } from "../../onnx/ir/tensor.ts";
import { createOrtEvaluator } from "../../server/runners/ortEvaluator.ts";

/** Values in -0.5..0.5 from a seed. */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

export function noiseTensor(dims: readonly number[], seed = 1): HostTensor {
  return { dataType: DataType.FLOAT, dims, data: noise(elementCount(dims), seed) };
}

export async function outputsOf(model: Model, feeds: HostTensors, tempDir: string): Promise<HostTensors> {
  await using session = await createOrtEvaluator({ tempDir }).open(model, { threads: 1 });
  return await session.run(feeds);
}

/** |a - b| / |a| over all elements of each output. */
export function relativeErrors(a: HostTensors, b: HostTensors): Record<string, number> {
  return Object.fromEntries(
    Object.entries(a).map(([name, x]) => {
      const y = b[name];
      expect(y?.dims, `shape of ${name}`).toEqual(x.dims);
      let [energy, error] = [0, 0];
      for (const [i, value] of x.data.entries()) {
        energy += Number(value) ** 2;
        error += (Number(value) - Number(y?.data[i])) ** 2;
      }
      return [name, Math.sqrt(error / (energy || 1))];
    }),
  );
}

export function expectClose(a: HostTensors, b: HostTensors, tolerance: { readonly rtol: number }): void {
  expect(Object.keys(b).sort()).toEqual(Object.keys(a).sort());
  for (const [name, error] of Object.entries(relativeErrors(a, b)))
    expect(error, `relative error of ${name}`).toBeLessThanOrEqual(tolerance.rtol);
}
