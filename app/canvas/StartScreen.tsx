"use client";
/** An empty canvas offers what one begins with: a model of one's own, or a pipeline that works as it is. */
import { useQuery } from "@tanstack/react-query";
import { messageOf } from "../shell/sentence.ts";
import { pickFiles, uploadFile } from "../shell/upload.ts";
import { say } from "../shell/useNotices.ts";
import { api, trpc } from "../trpc.ts";
import { addNode } from "./actions.ts";
import { centreOfView } from "./centreOfView.ts";
import { currentDoc, editor } from "./useEditor.ts";

const TEMPLATES = [
  {
    name: "person-detection",
    text: "Calibrate, quantize, compile, and set INT8 beside FP32 in accuracy, size and speed.",
  },
  { name: "tensorrt-int8", text: "INT8 the way TensorRT reads it, and a real engine for an RTX card." },
  { name: "export-fp16", text: "Simplify, halve the weights, export model and settings to a folder." },
];

export function StartScreen() {
  const { data } = useQuery(trpc.pipelines.list.queryOptions());
  const here = currentDoc()?.name;
  const shipped = TEMPLATES.filter((t) => t.name !== here && data?.some((pipeline) => pipeline.name === t.name));
  const rest = (data ?? [])
    .filter((p) => p.name !== here && p.nodes > 0)
    .map((p) => ({ name: p.name, text: `${p.nodes} nodes` }));
  const cards = (shipped.length > 0 ? shipped : rest).slice(0, 3);
  const begin = async () => {
    const [file] = await pickFiles(".onnx");
    if (file) addNode("load-model", centreOfView(), { params: { source: await uploadFile(file) } });
  };
  const fill = async (name: string) => {
    const { doc } = await api.pipelines.get.query({ name });
    editor.apply(
      [
        { op: "add", nodes: doc.nodes, edges: doc.edges },
        { op: "target", target: doc.target },
      ],
      `start from ${name}`,
    );
  };
  const report = (error: unknown) => say({ tone: "bad", text: messageOf(error) });
  return (
    <div className="start" data-testid="start">
      <h1>What should fly?</h1>
      <button type="button" className="drop" onClick={() => begin().catch(report)}>
        Drop an .onnx here, or choose one
      </button>
      {cards.length > 0 && (
        <div className="cards">
          {cards.map((card) => (
            <button key={card.name} type="button" className="card" onClick={() => fill(card.name).catch(report)}>
              <h2>{card.name}</h2>
              <p>{card.text}</p>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
