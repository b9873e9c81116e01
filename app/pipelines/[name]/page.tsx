import type { Metadata } from "next";
import { Workspace } from "../../canvas/Workspace.tsx";

export async function generateMetadata({ params }: { params: Promise<{ name: string }> }): Promise<Metadata> {
  return { title: decodeURIComponent((await params).name) };
}

export default function PipelinePage() {
  return <Workspace />;
}
