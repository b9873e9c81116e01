/** The first minute in four steps. Each is about one thing on the screen, which wears a ring while it is spoken of. */
export const TOUR_STEPS = [
  {
    about: "canvas",
    title: "This is a pipeline",
    text: "Each node is one step; wires carry its result to the next. It is saved as you go, as plain JSON.",
  },
  {
    about: "run",
    title: "Press Run",
    text: "Every step runs on this machine and shows its result on its node. A second run takes what has not changed from the cache.",
  },
  {
    about: "strip",
    title: "Read the strip",
    text: "Before and after on the target: accuracy, latency, size. Plain figures were measured; grey ones with ≈ are predicted.",
  },
  {
    about: "sources",
    title: "Make it yours",
    text: "Click a node and change a value: only what depends on it runs again. Or drop your own .onnx file anywhere.",
  },
] as const;
