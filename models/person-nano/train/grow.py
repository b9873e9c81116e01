"""Carries the weights of the design of three strides (this folder at commit 964197e) over to the one of four: what keeps its
shape is taken as it is, the rest begins from chance.

`python grow.py OLD.pt NEW.pt`
"""

import sys

import torch
from model import PersonNano


def old_name(name):
    """What this parameter was called; the finest stride came in front, and the head of stride 8 lost its first layer."""
    part, level, *rest = name.split(".")
    if part not in ("heads", "box", "score"):
        return name
    if level == "1" and part == "heads":
        return ".".join([part, "0", "1", *rest])
    return ".".join([part, str(int(level) - 1), *rest])


def main(source, target):
    old = torch.load(source, weights_only=True)["model"]
    new = PersonNano().state_dict()
    kept = {name: old[old_name(name)] for name in new if old_name(name) in old and old[old_name(name)].shape == new[name].shape}
    torch.save({"model": {**new, **kept}}, target)
    print(f"{len(kept)} of {len(new)} tensors kept")


if __name__ == "__main__":
    torch.manual_seed(5)
    main(*sys.argv[1:])
