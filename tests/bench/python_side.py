"""Times CPython for bench.ts: one JSON command a line, one answer a line."""
import gc
import io
import json
import pickle
import sys
import time

values = {}
blobs = {}


def blob(path):
    if path not in blobs:
        with open(path, "rb") as f:
            blobs[path] = f.read()
    return blobs[path]


def value(path):
    if path not in values:
        values.clear()
        values[path] = pickle.loads(blob(path))
    return values[path]


def prepare(op, folder, name):
    pickled = "%s/%s.pkl" % (folder, name)
    text = "%s/%s.json" % (folder, name)
    if op == "pickle.loads":
        data = blob(pickled)
        return lambda: pickle.loads(data)
    if op == "pickle.dumps":
        data = value(pickled)
        return lambda: pickle.dumps(data, 4)
    if op == "json.loads":
        data = blob(text).decode()
        return lambda: json.loads(data)
    if op == "json.dumps":
        data = value(pickled)
        return lambda: json.dumps(data)
    if op == "pickle>json":
        data = blob(pickled)

        def to_json():
            out = io.StringIO()
            json.dump(pickle.load(io.BytesIO(data)), out)
        return to_json
    if op == "json>pickle":
        data = blob(text)

        def to_pickle():
            out = io.BytesIO()
            pickle.dump(json.load(io.BytesIO(data)), out, 4)
        return to_pickle
    raise ValueError(op)


run = None
for line in sys.stdin:
    command = json.loads(line)
    if "op" in command:
        run = prepare(command["op"], command["folder"], command["name"])
        answer = {"python": sys.version.split()[0]}
    else:
        gc.collect()
        start = time.perf_counter()
        for _ in range(command["times"]):
            run()
        answer = {"seconds": time.perf_counter() - start}
    print(json.dumps(answer), flush=True)
