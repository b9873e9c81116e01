/** Einstein summation: `bhid,bhjd->bhij`, with `...` standing for broadcast dimensions (ONNX Operators.md, Einsum). */
import type { Dim, Node, Shape } from "../ir/graph.ts";
import { broadcast, numericProduct, unify } from "./dims.ts";
import { type CostContext, type OpCost, type ShapeContext, ShapeError, shapeOf } from "./op.ts";

interface Equation {
  readonly inputs: readonly string[];
  readonly output: string;
}

function parse(node: Node): Equation {
  const text = (node.string("equation") ?? "").replaceAll(" ", "").replaceAll("...", ".");
  const [left = "", right] = text.split("->");
  const inputs = left.split(",");
  if (inputs.length !== node.inputs.length) {
    throw new ShapeError(`"${text}" has ${inputs.length} terms for ${node.inputs.length} inputs`);
  }
  if (right !== undefined) return { inputs, output: right };
  // Without an arrow: the ellipsis, then the letters that occur once, in alphabetical order.
  const letters = [...left.replaceAll(",", "")].filter((c) => c !== ".");
  const once = letters.filter((c) => letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  return { inputs, output: (left.includes(".") ? "." : "") + once.join("") };
}

/** Sizes by letter, and the broadcast dimensions of the ellipsis; undefined where a rank is unknown. */
function sizes(equation: Equation, shapes: readonly (Shape | undefined)[]) {
  const letters = new Map<string, Dim>();
  const ellipses: Shape[] = [];
  for (const [i, term] of equation.inputs.entries()) {
    const shape = shapes[i];
    if (!shape) return undefined;
    const hidden = shape.length - (term.length - Number(term.includes(".")));
    if (hidden < 0 || (hidden > 0 && !term.includes("."))) {
      throw new ShapeError(`the term "${term}" does not fit rank ${shape.length}`);
    }
    let axis = 0;
    for (const letter of term) {
      if (letter === ".") {
        ellipses.push(shape.slice(axis, axis + hidden));
        axis += hidden;
        continue;
      }
      const dim = shape[axis++] ?? null;
      const known = letters.get(letter) ?? null;
      letters.set(letter, known === 1 ? dim : dim === 1 ? (known ?? 1) : unify(known, dim, `dimension ${letter}`));
    }
  }
  return { letters, ellipsis: broadcast(ellipses) ?? [] };
}

export function einsumShape(ctx: ShapeContext): Shape | undefined {
  const equation = parse(ctx.node);
  const known = sizes(
    equation,
    ctx.node.inputs.map((_, i) => shapeOf(ctx, i)),
  );
  if (!known) return undefined;
  return [...equation.output].flatMap((letter) =>
    letter === "." ? known.ellipsis : [known.letters.get(letter) ?? null],
  );
}

/** Every combination of all indices is one multiply-accumulate for each operand after the first. */
export function einsumCost(ctx: CostContext): OpCost | undefined {
  const known = sizes(
    parse(ctx.node),
    ctx.node.inputs.map((_, i) => ctx.inputDims(i)),
  );
  if (!known) return undefined;
  const all = [...known.letters.values(), ...known.ellipsis].map((dim) => (typeof dim === "number" ? dim : Number.NaN));
  const points = numericProduct(all);
  if (Number.isNaN(points)) return undefined;
  const operands = ctx.node.inputs.length;
  return operands === 1 ? { macs: 0, ops: points } : { macs: points * (operands - 1), ops: 0 };
}
