/** A face as the HTML that a browser would get, for tests: with every property but those given at rest. */
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import type { FaceComponent, FaceProps } from "../../nodes/face.ts";

export function renderFace(Face: FaceComponent, props: Partial<FaceProps>): string {
  const rest: FaceProps = {
    large: false,
    params: {},
    outputs: {},
    report: undefined,
    previews: [],
    artifactUrl: (digest, file) => `/blobs/${digest}${file === undefined ? "" : `/${file}`}`,
    upstream: () => undefined,
    downstream: () => undefined,
    beside: () => undefined,
    setParam: () => undefined,
  };
  return renderToStaticMarkup(createElement(Face, { ...rest, ...props }));
}
