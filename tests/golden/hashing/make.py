#!/usr/bin/env python3
"""Writes mappings.txt beside it. Shares no code with the crate: see README.md."""

import math
import pathlib
import struct

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
    0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5,
)


def rotate(x, r):
    return ((x << r) | (x >> (64 - r))) & MASK


def step(acc, lane):
    return rotate((acc + lane * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed=0):
    """As the specification of xxHash says, in its words and order."""
    at, n = 0, len(data)
    if n >= 32:
        accs = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while at + 32 <= n:
            lanes = struct.unpack_from("<4Q", data, at)
            accs = [step(acc, lane) for acc, lane in zip(accs, lanes)]
            at += 32
        acc = sum(rotate(a, r) for a, r in zip(accs, (1, 7, 12, 18))) & MASK
        for a in accs:
            acc = ((acc ^ step(0, a)) * P1 + P4) & MASK
    else:
        acc = (seed + P5) & MASK
    acc = (acc + n) & MASK
    while at + 8 <= n:
        acc ^= step(0, struct.unpack_from("<Q", data, at)[0])
        acc = (rotate(acc, 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= n:
        acc ^= struct.unpack_from("<I", data, at)[0] * P1 & MASK
        acc = (rotate(acc, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        acc ^= byte * P5 & MASK
        acc = rotate(acc, 11) * P1 & MASK
    acc = (acc ^ (acc >> 33)) * P2 & MASK
    acc = (acc ^ (acc >> 29)) * P3 & MASK
    return acc ^ (acc >> 32)


def ring(endpoints, least, most):
    total = float(sum(w for _, w in endpoints))
    lightest = min(w / total for _, w in endpoints)
    scale = min(math.ceil(lightest * least) / lightest, float(most))
    points, count, target = [], 0, 0.0
    for name, weight in endpoints:
        target += scale * (weight / total)
        index = 0
        while count < target:
            points.append((xxh64(f"{name}_{index}".encode()), name))
            index += 1
            count += 1
    points.sort()
    return lambda h: next((name for point, name in points if point >= h), points[0][1])


def maglev(endpoints, rows):
    paths = [
        (xxh64(name.encode()) % rows, xxh64(name.encode(), 1) % (rows - 1) + 1)
        for name, _ in endpoints
    ]
    heaviest = max(weight for _, weight in endpoints)
    table, nexts, targets = [None] * rows, [0] * len(paths), [0] * len(paths)
    filled, turn = 0, 0
    while filled < rows:
        turn += 1
        for i, (name, weight) in enumerate(endpoints):
            if turn * weight < targets[i] or filled == rows:
                continue
            targets[i] += heaviest
            while True:
                row = (paths[i][0] + nexts[i] * paths[i][1]) % rows
                nexts[i] += 1
                if table[row] is None:
                    table[row] = name
                    filled += 1
                    break
    return lambda h: table[h % rows]


SETS = {
    "equal": [(f"e{i:02}", 1) for i in range(10)],
    "weighted": [(f"10.0.0.{i}:8080", w) for i, w in enumerate((1, 2, 3, 5, 8))],
    "names": [("https://shop-eu-1a.example.net:8443/cart", 3), ("b", 1), ("überall", 7)],
}

assert xxh64(b"") == 0xEF46DB3751D8E999 and xxh64(b"abc") == 0x44BC2CF5AD770999

lines = []
for name, endpoints in SETS.items():
    endpoints = sorted(endpoints, key=lambda e: e[0].encode())
    lines.append(f"set {name} " + " ".join(f"{e}={w}" for e, w in endpoints))
    for kind, find in (
        ("ring_hash min_ring_size=1024 max_ring_size=65536", ring(endpoints, 1024, 65536)),
        ("ring_hash min_ring_size=100 max_ring_size=128", ring(endpoints, 100, 128)),
        ("maglev table_size=65537", maglev(endpoints, 65537)),
        ("maglev table_size=1009", maglev(endpoints, 1009)),
    ):
        lines.append(f"kind {kind}")
        for i in range(48):
            key = f"session-{i}"
            lines.append(f"{key} {find(xxh64(key.encode()))}")
path = pathlib.Path(__file__).with_name("mappings.txt")
path.write_text("\n".join(lines) + "\n")
