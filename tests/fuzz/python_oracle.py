"""Compares what Brine made of an input with what CPython makes of it.

A line in: [hex of the input, whether it is JSON, hex of a pickle of Brine's
value or null where Brine refuses it]. A line out: "same", "skip", or what
differs. No class or function is ever found, so that nothing can run.
"""

import io
import json
import math
import pickle
import re
import resource
import sys
import warnings

warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
sys.setrecursionlimit(5000)


class Named(Exception):
    pass


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        raise Named

    def persistent_load(self, pid):
        raise Named


class Dummy:
    """Takes whatever opcodes do to it."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Dummy()

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass


class Namer(pickle.Unpickler):
    """Notes the names that are looked up, and gives none of them."""

    def find_class(self, module, name):
        self.names.append((module, name))
        return Dummy

    def persistent_load(self, pid):
        return Dummy()


def unseen(data, names):
    """The first name that is looked up and not among those given."""
    namer = Namer(io.BytesIO(data), encoding="latin1")
    namer.names = []
    try:
        namer.load()
    except Exception:
        pass
    known = set(map(tuple, names))
    for module, name in namer.names:
        # Names that are odd come through JSON as they can.
        if (module, name) not in known and (module + name).isascii():
            return f"scan overlooks {module!r} {name!r}"
    return None


SAFE = {
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytearray"): bytearray,
    ("_codecs", "encode"): lambda text, encoding: text.encode("latin1"),
}


class Trusting(pickle.Unpickler):
    """For what Brine wrote."""

    def find_class(self, module, name):
        return SAFE[module, name]


def text(value):
    """A string's surrogate pairs are one character to JavaScript."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def holds_nan(value):
    """Whether a dict or set may have a NaN twice, which has no identity."""
    return any(x != x for x in value)


def same(a, b, seen):
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b) or a != a and b != b
    if isinstance(a, str):
        return text(a) == text(b)
    if isinstance(a, (list, tuple, dict)):
        if (id(a), id(b)) in seen:
            return True
        seen.add((id(a), id(b)))
        if isinstance(a, dict) and holds_nan(a):
            return True
        if len(a) != len(b):
            return False
        if isinstance(a, dict) and sorted(map(repr, a)) == sorted(map(repr, b)):
            # JavaScript's objects have their own order of keys that are ints.
            if any(k.isdigit() for k in a if isinstance(k, str)):
                return all(k in b and same(a[k], b[k], seen) for k in a)
        if isinstance(a, dict):
            return all(
                same(k, l, seen) and same(a[k], b[l], seen) for k, l in zip(a, b)
            )
        return all(same(x, y, seen) for x, y in zip(a, b))
    if isinstance(a, (set, frozenset)):
        return a == b or holds_nan(a)
    return a == b


def compare(data, is_json, mine):
    if mine == "":
        return "skip"
    try:
        if is_json:
            value = json.loads(data)
        else:
            value = Unpickler(io.BytesIO(data), encoding="latin1").load()
        refused = None
    except (Named, MemoryError, OverflowError, RecursionError):
        return "skip"
    except Exception as error:
        refused = f"{type(error).__name__}: {error}"
        if "unregistered extension code" in refused:
            return "skip"
    if refused is not None:
        return "same" if mine is None else f"CPython refuses it: {refused[:200]}"
    if mine is None and re.search(rb"[ILgp][^\n]*\0[^\n]*\n", data):
        return "skip"  # C's strtol ends at a NUL; Brine refuses it
    if mine is None:
        return f"CPython accepts it: {repr(value)[:200]}"
    try:
        other = Trusting(io.BytesIO(bytes.fromhex(mine))).load()
        if same(value, other, set()):
            return "same"
    except RecursionError:
        return "skip"
    except Exception as error:
        return f"Brine's pickle cannot be loaded: {type(error).__name__}: {error}"
    return f"CPython has {repr(value)[:300]}, Brine {repr(other)[:300]}"


for line in sys.stdin:
    text_hex, is_json, mine, names = json.loads(line)
    data = bytes.fromhex(text_hex)
    answer = None if names is None else unseen(data, names)
    print(json.dumps(answer or compare(data, is_json, mine)), flush=True)
