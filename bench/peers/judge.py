"""
Judges models in onnxruntime: SQNR of every output against the first model, and CPU time of an inference, interleaved.

judge.py sqnr FEEDS LIMIT MODEL...            {output: dB}
judge.py latency FEEDS THREADS ROUNDS MODEL... ms, median over the rounds
judge.py cosine FEEDS LIMIT MODEL...           {mean, min, spearman} of mean-pooled embeddings

Prints {"values": {model: ...}, "failed": {model: why onnxruntime does not open it}}.
"""
import json
import sys
import time

import feeds
import numpy as np
import onnxruntime as ort

INNER = 3


def session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin while they wait would count as work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The original is made what an optimiser gets: no initializer that a caller could override, so that all are folded.
    model = feeds.model(path).SerializeToString() if path == original else path
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def fed(opened, item):
    """The inputs a model still has, by name; by position where a tool renamed them."""
    names = [entry.name for entry in opened.get_inputs()]
    values = list(item.values())
    return {name: item.get(name, values[min(i, len(values) - 1)]) for i, name in enumerate(names)}


def outputs(path, items):
    opened = session(path, 0)
    return [opened.run(None, fed(opened, item)) for item in items], [entry.name for entry in opened.get_outputs()]


def sqnr(items, paths):
    expected, names = outputs(paths[0], items)
    result = {}
    for path in paths[1:]:
        actual, _ = outputs(path, items)
        result[path] = {}
        for at, name in enumerate(names):
            signal = sum(float(np.square(x[at].astype(np.float64)).sum()) for x in expected)
            noise = sum(
                float(np.square(x[at].astype(np.float64) - y[at].astype(np.float64)).sum())
                for x, y in zip(expected, actual)
            )
            result[path][name] = None if noise == 0 else 10 * float(np.log10(signal / noise))
    return result


def latency(items, threads, rounds, paths):
    opened = [(path, session(path, threads)) for path in paths]
    inputs = [(path, model, fed(model, items[0])) for path, model in opened]
    times = {path: [] for path in paths}
    for count in range(rounds + 2):
        for path, model, feed in inputs if count % 2 else reversed(inputs):
            # The first run after another model's finds its weights out of the cache.
            model.run(None, feed)
            begin, wall = time.process_time_ns(), time.perf_counter_ns()
            for _ in range(INNER):
                model.run(None, feed)
            spent = time.process_time_ns() - begin if threads == 1 else time.perf_counter_ns() - wall
            if count >= 2:
                times[path].append(spent / INNER / 1e6)
    return {path: float(np.median(values)) for path, values in times.items()}


def ranks(values):
    order = np.argsort(values)
    result = np.empty(len(values))
    result[order] = np.arange(len(values))
    return result


def cosine(items, paths):
    def pooled(path):
        results, _ = outputs(path, items)
        mask = [item.get("attention_mask") for item in items]
        vectors = [
            (r[0] * m[..., None]).sum(1) / m.sum(1, keepdims=True) if m is not None else r[0].mean(1)
            for r, m in zip(results, mask)
        ]
        vectors = np.concatenate(vectors).astype(np.float64)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    reference = pooled(paths[0])
    pairs = (reference[0::2] * reference[1::2]).sum(1)
    result = {}
    for path in paths[1:]:
        vectors = pooled(path)
        alike = (vectors * reference).sum(1)
        own = (vectors[0::2] * vectors[1::2]).sum(1)
        result[path] = {
            "mean": float(alike.mean()),
            "min": float(alike.min()),
            "spearman": float(np.corrcoef(ranks(pairs), ranks(own))[0, 1]),
        }
    return result


def refusal(path):
    try:
        session(path, 1)
        return None
    except Exception as error:
        return str(error).split("\n")[0]


mode, folder, *rest = sys.argv[1:]
numbers, paths = (rest[:2], rest[2:]) if mode == "latency" else (rest[:1], rest[1:])
original = paths[0]
failed = {path: reason for path in paths if (reason := refusal(path)) is not None}
sound = [path for path in paths if path not in failed]
limit = 1 if mode == "latency" else int(numbers[0])
items = feeds.load(folder, limit)
if mode == "sqnr":
    values = sqnr(items, sound)
elif mode == "latency":
    values = latency(items, int(numbers[0]), int(numbers[1]), sound)
else:
    values = cosine(items, sound)
print(json.dumps({"values": values, "failed": failed}))
