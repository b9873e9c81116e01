/**
 * How a pass gets numbers out of a graph without knowing a runtime: constant folding, calibration, error measurement.
 * onnxruntime implements it in `server/runners/ort.ts`.
 */
import type { Model } from "./ir/graph.ts";
import type { HostTensors } from "./ir/hostTensor.ts";

export interface EvaluationOptions {
  /** Names of values to return besides the graph's outputs; they need not be graph outputs. */
  readonly alsoReturn?: readonly string[];
  readonly threads?: number;
  /** Node by node as the graph stands: opens in a fraction of the time, and runs slower. */
  readonly asWritten?: boolean;
  /** Gives the memory of each run back at once, at some cost of time, where several sessions are open together. */
  readonly lean?: boolean;
}

export interface EvaluationSession extends AsyncDisposable {
  /** One inference. Returns the graph's outputs and what `alsoReturn` named, by value name. */
  run(feeds: HostTensors): Promise<HostTensors>;
}

export interface Evaluator {
  /** Throws where the runtime refuses the graph, with its words. */
  open(model: Model, options?: EvaluationOptions): Promise<EvaluationSession>;
}
