"""Random files, nearly valid: what a reader must either take or refuse in one message."""

from __future__ import annotations

import io
import json
from itertools import product

import numpy as np
from PIL import Image

from search_spaces import EVERY_FAMILY, SGD_PEAK_LR
from search_spaces.space_file import presets, space_toml

NOISE = [b"\0", b"\xff", b"\n", b'"', b",", b"[", b"{", b"=", b"nan", b"1e999", b"-1", b"9" * 400, b"[" * 3000, b"\r"]
SCALARS = [0, 1, -1, 0.5, -0.0, 1e308, 5e-324, float("nan"), float("inf"), 10**30, 10**400, True, "linear", "", [], {}]
CELLS = ["", "1", "-1.5", "nan", "inf", "?", "a", "True", "1e400", "9" * 25, '"a,b"', "2020-01-01", " ", "é", "1_000"]
CELLS += ["0x1F", "NA", "1,5", "1j", "1%", "$1,200", "\x00", '"', "007", "(5)", "5 kg", "12/31/2024", "\x1b[31m"]
HEADS = ["a", "b", "y", "", "1", " y", "é", "y.1", "Unnamed: 0", "x" * 300]
TYPES = [
    "f4",
    "f8",
    "f2",
    "g",
    ">f4",
    "i8",
    "i1",
    "u1",
    "u2",
    "u8",
    ">i8",
    "b1",
    "c8",
    "c16",
    "S3",
    "U3",
    "M8[D]",
    "V4",
]


def damaged(random, content):
    """The bytes with a few changes: some overwritten, removed, inserted or repeated, or all from one on cut."""
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 4, 16])):
        place = random.randrange(len(changed) + 1)
        match random.randrange(5):
            case 0 if place < len(changed):
                changed[place] = random.randrange(256)
            case 1:
                del changed[place : place + random.choice([1, 2, 10, 100])]
            case 2:
                changed[place:place] = random.choice(NOISE)
            case 3:
                other = random.randrange(len(changed) + 1)
                changed[place:place] = changed[other : other + random.choice([5, 30, 200])]
            case 4:
                del changed[place:]
    return bytes(changed)


def value(random, depth=0):
    """A value as JSON and TOML have them, perhaps nested."""
    kind = random.random() + depth / 6
    if kind < 0.15:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind < 0.4:
        keys = random.sample(["low", "high", "log", "or_exactly", "x"], random.randrange(5))
        return {key: value(random, depth + 1) for key in keys}
    return random.choice([*SCALARS, random.uniform(-1, 5), random.randint(-5, 200), 10 ** random.uniform(-6, 3)])


def as_toml(found):
    if isinstance(found, list):
        return f"[{', '.join(map(as_toml, found))}]"
    if isinstance(found, dict):
        return f"{{ {', '.join(f'{key} = {as_toml(one)}' for key, one in found.items())} }}"
    return json.dumps(found).replace("NaN", "nan").replace("Infinity", "inf")


def toml(random):
    """A search space."""
    if random.random() < 0.5:
        every = [space_toml(list(EVERY_FAMILY), SGD_PEAK_LR, {}), *presets().values()]
        return damaged(random, random.choice(every).encode())
    families = random.sample(list(EVERY_FAMILY), random.randrange(1, 5))
    lines = [f"families = {as_toml(families if random.random() < 0.9 else value(random))}"]
    lines += [f"{name} = {as_toml(value(random))}" for name in ("peak_lr", "warmup_fraction") if random.random() < 0.5]
    for family in families:
        own = [name for name in EVERY_FAMILY[family].space if random.random() < 0.5]
        lines += [f"[{family}]", *(f"{name} = {as_toml(value(random))}" for name in own)] if own else []
    return "\n".join(lines).encode()


def schedule_json(random):
    """A schedule, or several."""
    family = random.choice(list(EVERY_FAMILY))
    names = [name for name in [*EVERY_FAMILY[family].space, "warmup_fraction"] if random.random() < 0.9]
    written = {"family": family, "peak_lr": 0.1, "parameters": {name: value(random) for name in names}}
    if random.random() < 0.3:
        written[random.choice([*written, "provenance", "x"])] = value(random)
    text = json.dumps([written] * random.randrange(3) if random.random() < 0.1 else written).encode()
    return damaged(random, text) if random.random() < 0.4 else text


def csv(random):
    """A table with a column y."""
    columns, rows = random.randrange(1, 6), random.choice([0, 1, 3, 5, 10, 40, 80])
    heads = [random.choice(HEADS) for _ in range(columns)]
    heads[random.randrange(columns)] = "y"
    kinds = [random.sample(CELLS, random.choice([1, 2, 3, 8])) if random.random() < 0.6 else None for _ in heads]
    sign = random.choice([",", ",", ";", "\t"])

    def cell(kind):
        return random.choice(kind or [str(random.randrange(3)), f"{random.random():.3f}"])

    lines = [sign.join(heads), *(sign.join(map(cell, kinds)) for _ in range(rows))]
    text = "\n".join(lines).encode(random.choice(["utf-8", "utf-8", "utf-16", "latin-1"]), "replace")
    return damaged(random, text) if random.random() < 0.5 else text


def array(random, rows):
    shape = (rows, *(random.choice([0, 1, 2, 3, 8]) for _ in range(random.randrange(4))))
    numbers = random.choices([0, 1, 2, 3, 1e9, -1, 0.5, 250, *([np.nan, np.inf] * (random.random() < 0.3))], k=64)
    found = np.resize(np.array(numbers), shape)
    kind = random.choice(TYPES)
    with np.errstate(all="ignore"):
        whole = np.nan_to_num(found, posinf=0) if np.dtype(kind).kind in "iubMSU" else found
        return whole.astype("i8").astype(kind) if np.dtype(kind).kind in "MV" else whole.astype(kind)


def npz(random):
    """Arrays x and y, perhaps with those of other parts."""
    rows = random.choice([0, 1, 5, 20, 60])
    names = ["x", "y", *random.sample(["x_val", "y_val", "x_test", "y_test"], random.choice([0, 0, 2, 4]))]
    arrays = {name: array(random, rows) for name in names}
    if random.random() < 0.6:
        arrays["x"] = np.random.default_rng(random.randrange(99)).random((rows, 3)).astype(random.choice(TYPES[:8]))
        arrays["y"] = (np.arange(rows) % 2).astype(random.choice(TYPES[:14]))
    packed = io.BytesIO()
    random.choice([np.savez, np.savez_compressed])(packed, **arrays)
    return damaged(random, packed.getvalue()) if random.random() < 0.5 else packed.getvalue()


IMAGES = [
    (ending, mode)
    for ending, mode in product(("png", "jpg", "tif", "webp", "bmp"), ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F"))
    if mode in {"jpg": ("L", "RGB"), "webp": ("RGB", "RGBA"), "bmp": ("1", "L", "P", "RGB")}.get(ending, (mode,))
    and (ending, mode) != ("png", "F")
]


def image(random):
    """(ending, content) of an image."""
    ending, mode = random.choice(IMAGES)
    size = (random.randrange(1, 12), random.randrange(1, 12)) if random.random() < 0.3 else (8, 8)
    numbers = np.random.default_rng(random.randrange(99))
    if mode in ("I;16", "F"):
        pixels = (numbers.random(size[::-1]) * 60000).astype("u2" if mode == "I;16" else "f4")
        drawn = Image.fromarray(pixels)
    else:
        drawn = Image.fromarray(numbers.integers(0, 255, (*size[::-1], 3), dtype=np.uint8)).convert(mode)
    content = io.BytesIO()
    drawn.save(content, {"jpg": "jpeg", "tif": "tiff"}.get(ending, ending))
    return ending, damaged(random, content.getvalue()) if random.random() < 0.1 else content.getvalue()


def draw_folder(random, folder):
    """A folder of images, perhaps in parts, with odd names and links."""
    parts = random.choice([[""], [""], ["train", "test"], ["Train", "VAL"], ["a/train", "a/test"], ["fold1", "fold2"]])
    same = image(random) if random.random() < 0.7 else None
    for part, name in product(parts, random.sample(["cat", "dog", "é", ".hidden", "__x", "with blank"], 3)):
        inside = folder / part / name
        inside.mkdir(parents=True, exist_ok=True)
        for number in range(random.choice([0, 2, 6])):
            ending, content = image(random)
            while same and ending != same[0]:
                ending, content = image(random)
            (inside / f"{number}.{random.choice([ending, ending, ending.upper(), 'gif', 'txt'])}").write_bytes(content)
        if random.random() < 0.1:
            (inside / "loop").symlink_to(random.choice([folder, inside, folder / "gone"]))
