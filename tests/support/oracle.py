# -*- coding: utf-8 -*-
"""A Python that answers questions: one JSON line in, one out.

    {"op": ..., ...}  ->  {"ok": ...} or {"error": type, "message": text, ...}

Bytes travel as base64. Runs under CPython 2.7 and 3.6 to 3.13.
"""
from __future__ import print_function

import base64
import io
import json
import os
import pickle
import pickletools
import sys
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "fixtures"))

import pyd  # noqa: E402
import samplemod  # noqa: E402

PY2 = sys.version_info[0] == 2
if PY2:
    import copy_reg as copyreg
    import cPickle
    C = cPickle
else:
    import copyreg
    C = pickle


def unbytes(text):
    return base64.b64decode(text.encode("ascii"))


def tobytes(data):
    return base64.b64encode(data).decode("ascii")


def load_all(request):
    """Every value of the pickles in "data", as a list if there may be more."""
    options = request.get("options") or {}
    source = io.BytesIO(unbytes(request["data"]))
    kwargs = {}
    if options.get("buffers"):
        kwargs["buffers"] = [
            (bytes if read_only else bytearray)(bytearray.fromhex(h))
            for h, read_only in options["buffers"]]
    for ours, theirs in (("encoding", "encoding"), ("errors", "errors"),
                         ("fixImports", "fix_imports")):
        if ours in options:
            kwargs[theirs] = options[ours]
    for code, name in (options.get("extensions") or {}).items():
        module, _, name = name.rpartition(".")
        try:
            copyreg.add_extension(str(module), str(name), int(code))
        except ValueError:
            pass  # it is known already

    def unpickler():
        if PY2:
            u = pickle.Unpickler(source)
            u.persistent_load = samplemod.Persistent
            return u

        class U(pickle.Unpickler):
            def persistent_load(self, pid):
                return samplemod.Persistent(pid)
        return U(source, **kwargs)

    size = len(source.getvalue())
    if options.get("several"):
        found = []
        while source.tell() < size:
            found.append(unpickler().load())
        return found
    if options.get("keepMemo"):
        u = unpickler()
        found = []
        while source.tell() < size:
            found.append(u.load())
        return found
    return unpickler().load()


def op_version(request):
    return list(sys.version_info[:3])


def op_describe(request):
    return pyd.describe(load_all(request))


def op_describe_many(request):
    found = []
    for one in request["many"]:
        try:
            found.append({"ok": pyd.describe(load_all(one))})
        except Exception as e:
            found.append({"error": type(e).__name__, "message": str(e)})
    return found


def op_dumps(request):
    """What this Python writes for the value of a pickle."""
    out = io.BytesIO()
    base = pickle._Pickler if request.get("pure") and not PY2 else C.Pickler
    base(out, request["protocol"]).dump(load_all(request))
    return tobytes(out.getvalue())


def op_eval(request):
    """Pickles an expression of this project's tests, never of input."""
    names = {"samplemod": samplemod}
    exec(request.get("setup", ""), names)
    value = eval(request["code"], names)
    return tobytes(C.dumps(value, request["protocol"]))


def op_dis(request):
    out = io.StringIO() if not PY2 else __import__("StringIO").StringIO()
    more = {} if PY2 else {"annotate": request.get("annotate", 0)}
    pickletools.dis(unbytes(request["data"]), out, **more)
    return out.getvalue()


def op_optimize(request):
    return tobytes(pickletools.optimize(unbytes(request["data"])))


def op_json_dumps(request):
    kwargs = request.get("kwargs") or {}
    if isinstance(kwargs.get("separators"), list):
        kwargs["separators"] = tuple(kwargs["separators"])
    return json.dumps(load_all(request), **kwargs)


def op_json_loads(request):
    text = request["text"] if "text" in request else unbytes(request["bytes"])
    return pyd.describe(json.loads(text, **(request.get("kwargs") or {})))


def answer(line):
    request = json.loads(line)
    try:
        return {"ok": globals()["op_" + request["op"]](request)}
    except Exception as e:
        found = {"error": type(e).__name__, "message": str(e)}
        for name in ("msg", "pos", "lineno", "colno"):
            if hasattr(e, name):
                found[name] = getattr(e, name)
        return found


def main():
    source = sys.stdin if PY2 else io.TextIOWrapper(
        sys.stdin.buffer, encoding="utf-8")
    while True:
        line = source.readline()
        if not line:
            return
        try:
            text = json.dumps(answer(line))
        except Exception as e:
            text = json.dumps({"error": type(e).__name__, "message": str(e)})
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import warnings
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(20000)
    threading.stack_size(512 * 1024 * 1024)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
