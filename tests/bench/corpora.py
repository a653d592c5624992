"""Makes the data that the benchmarks read: python corpora.py FOLDER SCALE."""
import json
import pickle
import random
import sys

random.seed(20260101)


def records(n):
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    return [
        {
            "id": i,
            "name": "user%d" % i,
            "score": random.random() * 100,
            "active": i % 3 == 0,
            "group": words[i % 6],
            "note": None if i % 5 else "n%d" % (i % 1000),
        }
        for i in range(n)
    ]


def ints(n):
    return [random.choice((random.randrange(256), random.randrange(1 << 16), random.randrange(-1 << 31, 1 << 31))) for _ in range(n)]


def floats(n):
    return [random.uniform(-1e6, 1e6) for _ in range(n)]


def strings(n):
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return ["".join(random.choice(alphabet) for _ in range(random.randrange(4, 16))) + str(i) for i in range(n)]


# The shape of pyperformance's pickle benchmark.
DICT = {
    "ads_flags": 0, "age": 18, "birthday": 7, "bulletin_count": 0, "comment_count": 0,
    "country": "BR", "encrypted_id": "G9urXXAJwjE", "favorite_count": 9,
    "first_name": "", "flags": 412317970704, "friend_count": 0, "gender": "m",
    "gender_for_display": "Male", "id": 302935349, "is_custom_profile_icon": 0,
    "last_name": "", "locale_preference": "pt_BR", "member": 0,
    "tags": ["a", "b", "c", "d", "e", "f", "g"], "profile_foo_id": 827119638,
    "secure_encrypted_id": "Z_xxx2dYx3t4YAdnmfgyKw", "session_number": 2,
    "signup_id": "201-19225-223", "status": "A", "theme": 1, "time_created": 1225237014,
    "time_updated": 1233134493, "unread_message_count": 0, "user_group": "0",
    "username": "collinwinter", "play_count": 9, "view_count": 7, "zip": "",
}


def nested_str(n):
    out = []
    for i in range(n):
        d = dict(DICT)
        for key in d:
            if isinstance(d[key], int) and (i + len(key)) % 2:
                d[key] = str(d[key] + i)
        out.append(d)
    return out


def nested_int(n):
    micro = {key: dict.fromkeys(range(10)) for key in range(100)}
    return [{k: dict(v) for k, v in micro.items()} for _ in range(n)]


def nested_deep(n):
    def deep(levels):
        d = {}
        for i in range(levels):
            d = {"level": i, "child": d, "leaf": [i, "x"]}
        return d
    return [deep(60) for _ in range(n)]


def text(n):
    pools = ["Съешь ещё этих мягких французских булок", "我能吞下玻璃而不伤身体", "日本語テキスト", "emoji 😀🎉🚀 mixed", "naïve café"]
    return [" ".join(random.choice(pools) for _ in range(random.randrange(1, 4))) + str(i) for i in range(n)]


def blobs(n):
    return [random.randbytes(10_000_000) for _ in range(n)]


CORPORA = {
    "records": lambda s: records(int(200_000 * s)),
    "ints": lambda s: ints(int(1_000_000 * s)),
    "floats": lambda s: floats(int(1_000_000 * s)),
    "strings": lambda s: strings(int(200_000 * s)),
    "dicts": lambda s: nested_str(int(6_000 * s)),
    "int-keys": lambda s: nested_int(int(120 * s) or 1),
    "nested": lambda s: nested_deep(int(400 * s) or 1),
    "text": lambda s: text(int(60_000 * s)),
    "bytes": lambda s: blobs(max(1, int(5 * s))),
    "small 50 B": lambda s: {"id": 7, "name": "ada", "ok": True},
    "small 600 B": lambda s: DICT,
    "small 3 kB": lambda s: [dict(DICT, id=i) for i in range(5)],
}

if __name__ == "__main__":
    folder, scale = sys.argv[1], float(sys.argv[2])
    for name, make in CORPORA.items():
        value = make(scale)
        slug = name.replace(" ", "-")
        with open("%s/%s.pkl" % (folder, slug), "wb") as f:
            f.write(pickle.dumps(value, 4))
        if name != "bytes":
            with open("%s/%s.json" % (folder, slug), "w") as f:
                json.dump(value, f)
