import type { Metadata } from "next";
import { RunsTable } from "./RunsTable.tsx";

export const metadata: Metadata = { title: "Runs" };

export default function Page() {
  return (
    <main className="run-page">
      <section className="head">
        <h1>Runs</h1>
        <span className="muted">of every pipeline, newest first</span>
      </section>
      <section className="card span-12">
        <RunsTable limit={50} />
      </section>
    </main>
  );
}
