/**
 * Layers that a runtime computes in integers no faster than in float, and that so stay in float where nothing else says
 * where they compute.
 *
 * Measured on x86 with VNNI, ONNX Runtime 1.30, one thread, times in float and in integers, ms:
 *   few channels in     3->16 6x6 1.6/2.5, 3->32 3x3 .23/.38, 3->48 3x3 .45/.57; 3->64 7x7 1.4/1.3, 3->96 7x7 2.0/1.4
 *   grouped             4 channels a group .83/3.2, 8: .27/.43, 16: .22/.27; 32: .65/.45
 *   depthwise           one output of each input has a kernel of its own; two of each .47/5.8
 */
import type { Value } from "../../ir/graph.ts";
import { carriedInputs } from "./carried.ts";
import type { Layer, LeftInFloat } from "./layers.ts";
import type { Layout } from "./layout.ts";

/** Those of `weighed` that gain no time among `layers`, each with the reason. */
export function gainlessLayers(
  layers: readonly Layer[],
  layout: Layout,
  weighed: readonly Layer[],
): ReadonlyMap<Layer, LeftInFloat> {
  const slow = weighed.flatMap((layer) => {
    const reason = slowReason(layer, layout);
    return reason ? [[layer, leave(layer, reason)] as const] : [];
  });
  const found = leftBeside(new Map(slow), { layers, layout, weighed });
  // Who asks for integers of a network that is all such layers gets those that are merely slow in them.
  return found.size < layers.length ? found : leftBeside(new Map(), { layers, layout, weighed });
}

interface Weighed {
  readonly layers: readonly Layer[];
  readonly layout: Layout;
  readonly weighed: readonly Layer[];
}

/** Those of `slow`, and with them the layers of few products that do not stand between integers. */
function leftBeside(slow: ReadonlyMap<Layer, LeftInFloat>, { layers, layout, weighed }: Weighed) {
  const found = new Map(slow);
  const small = weighed.filter((layer) => !found.has(layer) && productsOf(layer) < layout.fewestProducts);
  const amidst = betweenIntegers(
    small,
    layers.filter((layer) => !found.has(layer) && !small.includes(layer)),
  );
  for (const layer of small) {
    if (amidst.has(layer)) continue;
    found.set(layer, leave(layer, `an output sums ${productsOf(layer)} products only: integers gain no time there`));
  }
  return found;
}

function leave({ name, node }: Layer, reason: string): LeftInFloat {
  return { node: name, opType: node.opType, reason };
}

/** So slow that even amid integers float is faster, its conversions included. */
function slowReason({ node, view }: Layer, { slowInIntegers }: Layout): string | undefined {
  const { groups, inputs, outputs } = view;
  if (!slowInIntegers || node.opType !== "Conv") return undefined;
  if (groups === 1) {
    return inputs < slowInIntegers.inputs && outputs < slowInIntegers.outputs
      ? `it makes ${outputs} channels of ${inputs}: the runtime is slower there in integers`
      : undefined;
  }
  const depthwise = inputs === 1 && outputs === 1;
  return !depthwise && inputs < slowInIntegers.grouped
    ? `its groups have ${inputs} ${inputs === 1 ? "channel" : "channels"}: the runtime is slower there in integers`
    : undefined;
}

/** Products that one output of a dense layer sums; a grouped layer is not judged by them. */
function productsOf({ view }: Layer): number {
  return view.groups === 1 ? view.inputs * view.taps : Number.POSITIVE_INFINITY;
}

/** Layers whose input is in integers and whose output is wanted so: to compute in float between would convert twice. */
function betweenIntegers(layers: readonly Layer[], integers: readonly Layer[]): ReadonlySet<Layer> {
  const given = new Set(integers.map(({ output }) => output));
  const readers = new Map(integers.map(({ node, input }) => [node, input]));
  const isGiven = (value: Value): boolean => {
    const carried = value.producer ? carriedInputs(value.producer) : [];
    return given.has(value) || (carried.length > 0 && carried.every(isGiven));
  };
  const isWanted = (value: Value) =>
    value.uses.length > 0 && !value.isGraphOutput && value.uses.every(({ node }) => readers.get(node) === value);
  return new Set(layers.filter(({ input, output }) => isGiven(input) && isWanted(output)));
}
