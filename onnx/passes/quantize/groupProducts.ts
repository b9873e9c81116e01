/** A A' of each group of a layer by the runtime's matrix product, tens of times faster than a loop; in single precision. */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model } from "../../ir/graph.ts";

export class GroupProducts implements AsyncDisposable {
  private constructor(private readonly session: EvaluationSession) {}

  static async open(evaluator: Evaluator): Promise<GroupProducts> {
    const model = new Model(new Graph("products"));
    model.opsetImports.set("", 13);
    const { graph } = model;
    const a = graph.addInput("a", { elemType: DataType.FLOAT, shape: ["groups", "columns", "rows"] });
    const turned = graph
      .addNode({ opType: "Transpose", inputs: [a], outputs: ["turned"], attributes: { perm: [0, 2, 1] } })
      .output();
    graph.addOutput(graph.addNode({ opType: "MatMul", inputs: [a, turned], outputs: ["products"] }).output());
    return new GroupProducts(await evaluator.open(model));
  }

  /** `columns` as [groups, columns, rows]; gives [groups, columns, columns]. */
  async of(columns: Float32Array, [groups, count, rows]: readonly [number, number, number]): Promise<Float32Array> {
    const a = { dataType: DataType.FLOAT, dims: [groups, count, rows], data: columns };
    const { products } = await this.session.run({ a });
    if (products?.data instanceof Float32Array) return products.data;
    throw new Error("the runtime gave no products");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.session[Symbol.asyncDispose]());
  }
}
