"use client";
/** The devices: what is known of each, where its figures come from, and what the last run here measured or predicted. */
import { useQuery } from "@tanstack/react-query";
import { editor, useDoc } from "../canvas/useEditor.ts";
import { useTargetFigures } from "../results/useTargetFigures.ts";
import { trpc } from "../trpc.ts";
import { TargetCard } from "./TargetCard.tsx";

export default function TargetsPage() {
  const { data, isPending, error } = useQuery(trpc.targets.list.queryOptions());
  const doc = useDoc();
  const figuresFor = useTargetFigures();
  return (
    <main className="run-page">
      <section className="head">
        <h1>Targets</h1>
        {doc && <span className="muted">{doc.name}, as it last ran</span>}
      </section>
      {error && <p className="bad span-12">{error.message}</p>}
      <section className="devices span-12">
        {isPending && [1, 2, 3].map((key) => <div key={key} className="skeleton h-[268px]" />)}
        {data?.map((target) => (
          <TargetCard
            key={target.id}
            target={target}
            chosen={doc?.target === target.id}
            figures={figuresFor(target)}
            onChoose={doc && (() => editor.apply([{ op: "target", target: target.id }]))}
          />
        ))}
      </section>
    </main>
  );
}
