/** The same work in Python: OpenCV's resize and NMS, NumPy for the rest, one thread, buffers used again where it can. */
import { spawnSync } from "node:child_process";

const SCRIPT = `
import sys, json, time, numpy as np, cv2
cv2.setNumThreads(1)
folder, repeats = sys.argv[1], int(sys.argv[2])
rgb = np.fromfile(folder + "/rgb.bin", np.uint8).reshape(1080, 1920, 3)
out = np.fromfile(folder + "/output.bin", np.float32).reshape(84, 8400)

def letterbox():
    x = cv2.resize(rgb, (640, 360), interpolation=cv2.INTER_LINEAR)
    x = cv2.copyMakeBorder(x, 140, 140, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    x = np.ascontiguousarray(x.transpose(2, 0, 1))
    return (x.astype(np.float32) / 255)[None]

def area():
    x = cv2.resize(rgb, (352, 352), interpolation=cv2.INTER_AREA)
    x = np.ascontiguousarray(x[:, :, ::-1].transpose(2, 0, 1))
    return (x.astype(np.float32) / 255)[None]

def suppress(threshold):
    classes = out[4:].argmax(0)
    scores = out[4:].max(0)
    keep = scores >= threshold
    b, s, c = out[:4, keep].T, scores[keep], classes[keep]
    x1y1 = b[:, :2] - b[:, 2:] / 2
    x2y2 = x1y1 + b[:, 2:]
    shift = (c * 4096.0)[:, None].astype(np.float32)
    p, q = x1y1 + shift, x2y2 + shift
    areas = ((q - p)[:, 0]) * ((q - p)[:, 1])
    order = np.argsort(-s, kind="stable")
    kept = []
    while order.size and len(kept) < 300:
        i, rest = order[0], order[1:]
        kept.append(i)
        w = np.minimum(q[i, 0], q[rest, 0]) - np.maximum(p[i, 0], p[rest, 0])
        h = np.minimum(q[i, 1], q[rest, 1]) - np.maximum(p[i, 1], p[rest, 1])
        both = np.clip(w, 0, None) * np.clip(h, 0, None)
        order = rest[both <= 0.45 * (areas[i] + areas[rest] - both)]
    boxes = np.concatenate([x1y1[kept], x2y2[kept]], 1)
    boxes[:, [0, 2]] = np.clip(boxes[:, [0, 2]] * 3, 0, 1920)
    boxes[:, [1, 3]] = np.clip((boxes[:, [1, 3]] - 140) * 3, 0, 1080)
    return boxes

def median(work):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[repeats // 2]

work = {"letterbox 640": letterbox, "area 352": area, "NMS at .25": lambda: suppress(0.25), "NMS at .001": lambda: suppress(0.001)}
boxes = {name: len(work[name]()) for name in work if name.startswith("NMS")}
print(json.dumps({"ms": {name: median(f) for name, f in work.items()}, "boxes": boxes}))
`;

/** JSON as `Result` of loop.bench.ts. */
export function loopPeer(python: string, folder: string, repeats: number): string {
  const { status, stdout, stderr } = spawnSync(python, ["-c", SCRIPT, folder, String(repeats)], {
    encoding: "utf8",
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
