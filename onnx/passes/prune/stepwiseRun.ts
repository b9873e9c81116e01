/**
 * A model run piece by piece on several items at once: each call computes up to one more value from what is computed
 * already, so that a whole walk costs one inference an item, and weights not yet reached may still change.
 */
import type { Evaluator } from "../../evaluator.ts";
import type { Model, Node, Value } from "../../ir/graph.ts";
import type { HostTensor, HostTensors } from "../../ir/hostTensor.ts";
import { copyOf, nodesBehind } from "./extract.ts";

export class StepwiseRun {
  readonly #model: Model;
  readonly #evaluator: Evaluator;
  readonly #done = new Set<Node>();
  /** By item: what is computed and still needed. */
  readonly #values: Map<Value, HostTensor>[];

  constructor(model: Model, items: readonly HostTensors[], evaluator: Evaluator) {
    this.#model = model;
    this.#evaluator = evaluator;
    this.#values = items.map((item) => {
      const values = new Map<Value, HostTensor>();
      for (const value of model.graph.feeds) {
        const tensor = item[value.name];
        if (tensor) values.set(value, tensor);
      }
      return values;
    });
  }

  /** The value of each item, in topological order of the names asked for; it may go with the next call. */
  async advance(name: string): Promise<readonly HostTensor[]> {
    const value = this.#model.graph.values.get(name);
    if (!value) throw new Error(`the model has no value "${name}"`);
    if (!this.#values[0]?.has(value)) await this.#compute(value);
    return this.#values.flatMap((values) => values.get(value) ?? []);
  }

  async #compute(value: Value): Promise<void> {
    const nodes = nodesBehind([value], this.#done);
    for (const node of nodes) this.#done.add(node);
    const written = [...nodes].flatMap((node) => node.outputs).filter((out) => out !== null);
    const outputs = written.filter((out) => out === value || this.#isNeeded(out));
    const inputs = [...(this.#values[0]?.keys() ?? [])].filter((known) =>
      known.uses.some(({ node }) => nodes.has(node)),
    );
    await using session = await this.#evaluator.open(copyOf(this.#model, { inputs, nodes, outputs }));
    for (const values of this.#values) {
      const feeds = Object.fromEntries(
        [...values].flatMap(([key, t]) => (inputs.includes(key) ? [[key.name, t]] : [])),
      );
      const results = await session.run(feeds);
      for (const known of values.keys()) if (!this.#isNeeded(known)) values.delete(known);
      for (const out of outputs) {
        const tensor = results[out.name];
        if (tensor) values.set(out, tensor);
      }
    }
  }

  #isNeeded(value: Value): boolean {
    return value.uses.some(({ node }) => !this.#done.has(node));
  }
}
