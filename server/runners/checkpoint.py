"""Reads the tensors of a PyTorch checkpoint (torch.save's zip form) without running anything that is in it.

A checkpoint is a pickle: loading it the usual way runs what its author wrote. Here every class and function that the file
names is replaced by an inert stand-in which only keeps state, except the few that make containers and tensors, and those
are our own. What comes out are names, shapes and positions of bytes; nothing is imported, no PyTorch is needed.
"""

import collections
import io
import pickle
import zipfile

MAX_PICKLE = 64 << 20
MAX_MODULES = 100_000
MAX_DEPTH = 100

#: Storage class of the file to the name of its type in torch, and bytes an element.
DTYPES = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}

Storage = collections.namedtuple("Storage", "key dtype itemsize count")
#: A view of a storage: offset and stride count elements.
Tensor = collections.namedtuple("Tensor", "storage offset size stride")


class Refused(Exception):
    """The file is no checkpoint that can be read this way; the message says why."""


class Inert:
    """Stands for an object of any class the file names: takes every argument, keeps its state, does nothing."""

    def __new__(cls, *_args, **_kwargs):
        return object.__new__(cls)

    def __init__(self, *_args, **_kwargs):
        self.state = {}

    def __setstate__(self, state):
        self.state = state if isinstance(state, dict) else {}

    def __setitem__(self, _key, _value):
        pass

    def append(self, _value):
        pass

    def extend(self, _values):
        pass

    def add(self, _value):
        pass


def rebuild_tensor(storage, offset, size, stride, *_rest):
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or any(type(n) is not int or n < 0 for n in numbers):
        raise Refused("a tensor is malformed")
    return Tensor(storage, offset, tuple(size), tuple(stride))


def rebuild_parameter(data, *_rest):
    return data


KNOWN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
}


class Reader(pickle.Unpickler):
    def __init__(self, data, storages):
        super().__init__(io.BytesIO(data))
        self.storages, self.inert = storages, {}

    def find_class(self, module, name):
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if module == "torch" and name in DTYPES:
            return name
        return self.inert.setdefault((module, name), type("Inert", (Inert,), {}))

    def persistent_load(self, pid):
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and pid[1] in DTYPES):
            raise Refused("a storage is of an unknown kind")
        dtype, itemsize = DTYPES[pid[1]]
        storage = Storage(pid[2], dtype, itemsize, pid[4])
        if self.storages.get(storage.key) != storage.count * itemsize:
            raise Refused(f"storage {storage.key!r} has not the size it claims")
        return storage


class Checkpoint:
    """`tensors`: by the names of a state dict; `classes`: names by number, where the file has them."""

    def __init__(self, path):
        try:
            self.zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise Refused("it is not in the form that torch.save writes since PyTorch 1.6") from None
        entries = {info.filename: info for info in self.zip.infolist()}
        pickles = [name for name in entries if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Refused("it holds no checkpoint")
        self.prefix = pickles[0][: -len("data.pkl")]
        if entries[pickles[0]].file_size > MAX_PICKLE:
            raise Refused("its structure is too large")
        order = self.prefix + "byteorder"
        if order in entries and self.zip.read(order) != b"little":
            raise Refused("its numbers are big-endian")
        data = self.prefix + "data/"
        # A packed entry could unfold to any size; torch.save packs none.
        storages = {
            name[len(data) :]: info.file_size
            for name, info in entries.items()
            if name.startswith(data) and info.compress_type == zipfile.ZIP_STORED
        }
        try:
            root = Reader(self.zip.read(pickles[0]), storages).load()
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"its structure cannot be read ({type(error).__name__}: {error})") from None
        self._take(root)

    def _take(self, root):
        model = (root.get("ema") or root.get("model")) if isinstance(root, dict) else root
        if not isinstance(model, Inert):
            raise Refused("it holds no model, only parts of one")
        self.tensors, self.last, self.seen = {}, model, 0
        self._walk(model, "", 0)
        names = model.state.get("names")
        self.classes = {k: v for k, v in names.items()} if isinstance(names, dict) else {}
        count = self.last.state.get("nc")
        self.class_count = count if type(count) is int and 0 < count <= 10_000 else None

    def _walk(self, module, prefix, depth):
        self.seen += 1
        if depth > MAX_DEPTH or self.seen > MAX_MODULES:
            raise Refused("its modules are nested without end")
        state, self.last = module.state, module if "nc" in module.state else self.last
        passing = state.get("_non_persistent_buffers_set") or ()
        for kind in ("_parameters", "_buffers"):
            for name, value in dict(state.get(kind) or {}).items():
                if isinstance(value, Tensor) and name not in passing:
                    self.tensors[prefix + name] = value
        for name, child in dict(state.get("_modules") or {}).items():
            if isinstance(child, Inert):
                self._walk(child, f"{prefix}{name}.", depth + 1)

    def bytes_of(self, tensor):
        """The whole storage of a tensor, little-endian."""
        return self.zip.read(f"{self.prefix}data/{tensor.storage.key}")
