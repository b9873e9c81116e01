import type { Metadata } from "next";
import { Webcam } from "./Webcam.tsx";

export const metadata: Metadata = { title: "Webcam" };

export default function Page() {
  return <Webcam />;
}
