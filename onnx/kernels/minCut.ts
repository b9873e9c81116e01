/**
 * The cheapest cut between two terminals of a directed graph, by Dinic's algorithm: blocking flows in breadth-first
 * layers. Finds the labelling of least energy where every pairwise term punishes one way of disagreeing
 * (Kolmogorov and Zabih, "What energy functions can be minimized via graph cuts?", 2004).
 */
export class MinCut {
  #nodes = 2;
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  readonly #arcs: number[][] = [[], []];
  static readonly source = 0;
  static readonly sink = 1;

  addNode(): number {
    this.#arcs.push([]);
    return this.#nodes++;
  }

  /** A cut that leaves `from` on the source's side and `to` on the sink's pays `capacity`; it may be infinite. */
  addArc(from: number, to: number, capacity: number): void {
    if (capacity <= 0) return;
    this.#arcs[from].push(this.#to.length);
    this.#to.push(to);
    this.#capacity.push(capacity);
    this.#arcs[to].push(this.#to.length);
    this.#to.push(from);
    this.#capacity.push(0);
  }

  /** Per node, whether it lies on the source's side of the cheapest cut; of equal cuts the one nearest to the source. */
  solve(): boolean[] {
    const levels = new Int32Array(this.#nodes);
    const next = new Int32Array(this.#nodes);
    while (this.#layer(levels)) {
      next.fill(0);
      while (this.#augment(levels, next));
    }
    return Array.from(levels, (level) => level >= 0);
  }

  /** Distances from the source along arcs that still take something; false where the sink is out of reach. */
  #layer(levels: Int32Array): boolean {
    levels.fill(-1);
    levels[MinCut.source] = 0;
    const queue = [MinCut.source];
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head];
      for (const arc of this.#arcs[node]) {
        const to = this.#to[arc];
        if (levels[to] >= 0 || this.#capacity[arc] <= EPSILON) continue;
        levels[to] = levels[node] + 1;
        queue.push(to);
      }
    }
    return levels[MinCut.sink] >= 0;
  }

  /** Sends what one path takes, depth first without recursion; false where no path is left in these layers. */
  #augment(levels: Int32Array, next: Int32Array): boolean {
    const path: number[] = [];
    let node: number = MinCut.source;
    while (node !== MinCut.sink) {
      const arcs = this.#arcs[node];
      let found = -1;
      for (; next[node] < arcs.length; next[node]++) {
        const arc = arcs[next[node]];
        if (this.#capacity[arc] > EPSILON && levels[this.#to[arc]] === levels[node] + 1) {
          found = arc;
          break;
        }
      }
      if (found >= 0) {
        path.push(found);
        node = this.#to[found];
        continue;
      }
      const last = path.pop();
      if (last === undefined) return false;
      node = this.#to[last ^ 1];
      next[node]++;
    }
    let least = Number.POSITIVE_INFINITY;
    for (const arc of path) least = Math.min(least, this.#capacity[arc]);
    if (least === Number.POSITIVE_INFINITY) throw new Error("no cut is finite: a node is bound to both sides");
    for (const arc of path) {
      this.#capacity[arc] -= least;
      this.#capacity[arc ^ 1] += least;
    }
    return true;
  }
}

/** What rounding leaves of a capacity. */
const EPSILON = 1e-9;
