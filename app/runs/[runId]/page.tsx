import type { Metadata } from "next";
import { RunPage } from "../RunPage.tsx";

export const metadata: Metadata = { title: "Run" };

export default async function Page({ params }: { params: Promise<{ runId: string }> }) {
  return <RunPage runId={decodeURIComponent((await params).runId)} />;
}
