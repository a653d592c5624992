"""Writes sample.pkl, on which the README's first command runs."""

import datetime
import decimal
import pickle
import uuid

data = {
    "station": "Skagerrak 7",
    "id": uuid.UUID("6f1c1f0e-5c1e-4b7a-9a51-2f0b6b0d7c11"),
    "position": (58.25, 9.5),
    "deployed": datetime.date(2026, 3, 14),
    "last_seen": datetime.datetime(
        2026, 11, 24, 12, 30, tzinfo=datetime.timezone.utc
    ),
    "tags": {"salinity"},
    "price": decimal.Decimal("1299.90"),
    "counter": 2**64,
    "active": True,
    "note": None,
    "raw": b"\x00\x01brine",
    "readings": [
        {"depth": 0.5, "salinity": 31.2},
        {"depth": 10.0, "salinity": 34.8},
    ],
}

with open("sample.pkl", "wb") as f:
    pickle.dump(data, f, protocol=5)

# The frame of the recipe in README.md; pandas is not needed for the rest.
try:
    import pandas
except ImportError:
    print("no pandas here: frame.pkl stays as it is")
else:
    frame = pandas.DataFrame(
        {
            "station": ["Skagerrak 7", "Kattegat 2"],
            "depth": [10.0, 22.5],
            "when": pandas.to_datetime(["2026-11-24 12:30", None]),
        }
    )
    frame.to_pickle("frame.pkl", protocol=5)
