/** The frame of every page: theme before the first paint, the sprite of icons, the bar, and the page below it. */
import type { Metadata } from "next";
import type { ReactNode } from "react";
import "./globals.css";
import { Frame } from "./shell/Frame.tsx";
import { NodeIcons } from "./shell/NodeIcons.tsx";

export const metadata: Metadata = {
  title: { template: "%s · Edgewright", default: "Edgewright" },
  description: "Make a trained neural network fit, and fly, on the device it must live on",
};

const THEME = `try{document.documentElement.dataset.theme=localStorage.getItem("edgewright.theme")||(matchMedia("(prefers-color-scheme: light)").matches?"light":"dark")}catch{}`;

export default function Layout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en" data-theme="dark" suppressHydrationWarning>
      <head>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant; a file would flash the wrong theme */}
        <script dangerouslySetInnerHTML={{ __html: THEME }} />
      </head>
      <body>
        <NodeIcons />
        <Frame>{children}</Frame>
      </body>
    </html>
  );
}
