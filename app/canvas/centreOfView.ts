/** Where a new node goes that was not dropped anywhere: the middle of what is in sight, off what stands there. */

import { nodeDefs } from "../../nodes/registry.gen.ts";
import { own } from "../../pipelines/document/own.ts";
import { NODE_WIDTH, nodeHeight, type Point } from "./nodeGeometry.ts";
import { currentDoc } from "./useEditor.ts";

type Converter = (screen: Point) => Point;
let convert: Converter | undefined;

/** The canvas lends its conversion from the screen while it is shown. */
export function lendConverter(converter: Converter): () => void {
  convert = converter;
  return () => {
    convert = undefined;
  };
}

export function centreOfView(): Point {
  const canvas = document.querySelector(".canvas")?.getBoundingClientRect();
  const middle = canvas ? { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 2 } : { x: 0, y: 0 };
  const at = convert?.(middle) ?? middle;
  let { x, y } = { x: Math.round(at.x - NODE_WIDTH / 2), y: Math.round(at.y - 110) };
  const nodes = Object.values(currentDoc()?.nodes ?? {});
  const taken = () =>
    nodes.some(
      ({ type, position: p }) =>
        Math.abs(p.x - x) < NODE_WIDTH && p.y - 200 < y && y < p.y + nodeHeight(own(nodeDefs, type)),
    );
  while (taken()) {
    x += 32;
    y += 32;
  }
  return { x, y };
}
