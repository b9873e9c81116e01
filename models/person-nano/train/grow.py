"""Carries the weights of one design over to the next: what keeps its name and shape is taken as it is, the rest begins as a
new network does.

`python grow.py OLD.pt NEW.pt`
"""

import sys

import torch
from model import PersonNano


def main(source, target):
    old = torch.load(source, weights_only=True)["model"]
    new = PersonNano().state_dict()
    kept = {name: old[name] for name in new if name in old and old[name].shape == new[name].shape}
    torch.save({"model": {**new, **kept}}, target)
    print(f"{len(kept)} of {len(new)} tensors kept")


if __name__ == "__main__":
    torch.manual_seed(5)
    main(*sys.argv[1:])
