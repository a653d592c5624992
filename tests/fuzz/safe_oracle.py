"""Loads pickles that Brine calls safe, and says what they reach all the same.

A line in: a pickle in hex. A line out: how it ended, and the audit events that
are more than data. What would open a file, start a program or run code is
stopped by an error first.
"""

import importlib
import json
import pickle
import re
import resource
import signal
import sys
import warnings

warnings.simplefilter("ignore")
# What is imported now cannot be mistaken for what a pickle does.
for module in json.loads(sys.argv[1]):
    try:
        importlib.import_module(module)
    except Exception:
        pass
try:
    importlib.import_module("zoneinfo").ZoneInfo("No/Such")
except Exception:
    pass
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

FORBIDDEN = (
    "exec",
    "open",
    "os.",
    "subprocess.",
    "socket.",
    "ctypes.",
    "shutil.",
    "code.__new__",
    "cpython.run",
    "urllib.",
    "glob.",
    "tempfile.",
    "webbrowser",
    "pty.",
)
OWN_DOING = (
    r"^\('[^']*(\.pyc?|/zoneinfo/\w[^']*)'"
    r"|/site-packages/|/importlib\b|networkx\.utils\.decorators\.argmap"
)
watching = False
events = []


def hook(event, args):
    if watching and event.startswith(FORBIDDEN):
        # What libraries do on their own: load parts of themselves late, compile
        # their own decorators, read the file of a time zone.
        if re.search(OWN_DOING, str(args)):
            return
        events.append([event, str(args)[:200]])
        raise RuntimeError(event)


sys.addaudithook(hook)


class TooLong(BaseException):
    pass


def alarm(*_):
    raise TooLong


signal.signal(signal.SIGALRM, alarm)
for line in sys.stdin:
    data = bytes.fromhex(line)
    events.clear()
    end = "loaded"
    try:
        signal.setitimer(signal.ITIMER_REAL, 2)
        watching = True
        pickle.loads(data)
    except BaseException as error:
        end = type(error).__name__
    finally:
        watching = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps([end, events]), flush=True)
