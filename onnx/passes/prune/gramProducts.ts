/**
 * Sums of products over samples by the runtime's matrix product, which is tens of times faster than a loop: G += A A',
 * C += A B'. Each batch is multiplied in single precision and summed in double.
 */
import type { EvaluationSession, Evaluator } from "../../evaluator.ts";
import { DataType } from "../../ir/dataType.ts";
import { Graph, Model, type Value } from "../../ir/graph.ts";
import type { HostTensor } from "../../ir/hostTensor.ts";
import { accumulate, addProducts, type NormalEquations } from "../../kernels/leastSquares.ts";

/** Below this many regressors (a depthwise window) the call costs more than the loop. */
const WORTH_A_CALL = 32;

export class GramProducts implements AsyncDisposable {
  private constructor(readonly session: EvaluationSession) {}

  static async open(evaluator: Evaluator): Promise<GramProducts> {
    const model = new Model(new Graph("products"));
    model.opsetImports.set("", 13);
    const { graph } = model;
    const input = (name: string) => graph.addInput(name, { elemType: DataType.FLOAT, shape: [`${name}s`, "rows"] });
    const [a, b] = [input("regressor"), input("target")];
    const product = (name: string, y: Value) =>
      graph.addOutput(
        graph.addNode({ opType: "Gemm", inputs: [a, y], outputs: [name], attributes: { transB: 1 } }).output(),
      );
    product("gram", a);
    product("cross", b);
    return new GramProducts(await evaluator.open(model));
  }

  /** `a` and `b` are column-major, as `accumulate` takes them: [regressors, rows] and [targets, rows]. */
  async add(equations: NormalEquations, a: Float32Array, b: Float32Array, rows: number): Promise<void> {
    if (rows === 0) return;
    if (equations.n < WORTH_A_CALL) return accumulate(equations, a, b, rows);
    const matrix = (data: Float32Array, count: number): HostTensor => ({
      dataType: DataType.FLOAT,
      dims: [count, rows],
      data,
    });
    const { gram, cross } = await this.session.run({
      regressor: matrix(a, equations.n),
      target: matrix(b, equations.m),
    });
    if (!(gram?.data instanceof Float32Array) || !(cross?.data instanceof Float32Array)) return;
    addProducts(equations, { gram: gram.data, cross: cross.data, targets: b, rows });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.session[Symbol.asyncDispose]());
  }
}
