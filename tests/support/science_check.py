"""Compares pickles: one JSON line in, [name, problem or null] lines out.

    [[name, pickle, other], ...]

`other` is a pickle in base64, or an expression with np, pd, torch at hand.
"""
import base64
import json
import pickle
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
SCOPE = {"np": np}
for name, short in (("pandas", "pd"), ("torch", "torch"), ("scipy.sparse", "")):
    try:
        module = __import__(name)
        SCOPE[short or "scipy"] = module
    except ImportError:
        pass
pd = SCOPE.get("pd")
torch = SCOPE.get("torch")


def equal(a, b, depth=0):
    if a is b:
        return None
    if type(a) is not type(b):
        return "%s is no %s" % (type(a).__name__, type(b).__name__)
    if depth > 40:
        return None
    if isinstance(a, np.ma.MaskedArray):
        return (equal(np.ma.getmaskarray(a), np.ma.getmaskarray(b), depth + 1)
                or equal(a.data, b.data, depth + 1))
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return "%s %s is no %s %s" % (a.dtype, a.shape, b.dtype, b.shape)
        if a.flags.fnc != b.flags.fnc:
            return "another order"
        if a.dtype.hasobject:
            for x, y in zip(a.ravel().tolist(), b.ravel().tolist()):
                problem = equal(x, y, depth + 1)
                if problem:
                    return problem
            return None
        return None if a.tobytes() == b.tobytes() else "other elements"
    if isinstance(a, np.dtype):
        return None if a == b and a.str == b.str else "%r is no %r" % (a, b)
    if isinstance(a, np.generic):
        if a.dtype != b.dtype:
            return "another dtype"
        return None if a.tobytes() == b.tobytes() else "%r is no %r" % (a, b)
    if torch is not None and isinstance(a, torch.Tensor):
        if a.dtype != b.dtype or a.shape != b.shape:
            return "another tensor"
        if a.requires_grad != b.requires_grad:
            return "requires_grad"
        if a.is_sparse:
            a, b = a.to_dense(), b.to_dense()
        elif a.stride() != b.stride():
            return "other strides"
        if a.is_quantized:
            a, b = a.dequantize(), b.dequantize()
        a, b = a.detach(), b.detach()
        if a.is_floating_point():
            a, b = torch.nan_to_num(a), torch.nan_to_num(b)
        return None if torch.equal(a, b) else "other elements"
    if pd is not None and isinstance(a, (pd.DataFrame, pd.Series)):
        if not a.equals(b) or not a.index.equals(b.index):
            return "another table"
        return None
    if pd is not None and isinstance(a, pd.Index):
        return None if a.equals(b) and a.names == b.names else "another index"
    if "scipy" in type(a).__module__ and hasattr(a, "tocsr"):
        return equal(a.toarray(), b.toarray(), depth + 1)
    if isinstance(a, dict):
        if list(a) != list(b):
            return "other keys"
        for key in a:
            problem = equal(a[key], b[key], depth + 1)
            if problem:
                return "%s: %s" % (key, problem)
        return None
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return "another length"
        for x, y in zip(a, b):
            problem = equal(x, y, depth + 1)
            if problem:
                return problem
        return None
    if isinstance(a, float) and a != a:
        return None if b != b else "NaN"
    if type(a).__module__.startswith("numpy.random"):
        # numpy 2 seeds anew what an older numpy pickled without its seed.
        for part in ("_bit_generator", "bit_generator"):
            a, b = getattr(a, part, a), getattr(b, part, b)
        if hasattr(a, "state"):
            return equal(dict(a.state), dict(b.state), depth + 1)
    if type(a).__eq__ is object.__eq__:
        # What has no equality of its own is equal when it pickles alike.
        x, y = a.__reduce_ex__(4), b.__reduce_ex__(4)
        return equal(x[2] if len(x) > 2 else x[1],
                     y[2] if len(y) > 2 else y[1], depth + 1)
    try:
        same = bool(np.all(a == b))
    except Exception as error:
        return "%r" % error
    return None if same or repr(a) == repr(b) else "%r is no %r" % (a, b)


def load(text):
    return pickle.loads(base64.b64decode(text))


for name, data, other in json.loads(sys.stdin.readline()):
    try:
        expected = load(other["pickle"]) if "pickle" in other \
            else eval(other["code"], SCOPE)
    except Exception:
        # Not of this Python's libraries.
        print(json.dumps([name, "skipped"]))
        continue
    try:
        problem = equal(load(data), expected)
    except Exception as error:
        problem = "%s: %s" % (type(error).__name__, error)
    print(json.dumps([name, problem]))
