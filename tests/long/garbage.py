"""Strategies for inputs that look sound and are not: text of entries, networks, configurations, and damaged files."""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any

import numpy as np
import tomli_w
from hypothesis import strategies as st

from nerva_core.algebra.registry import Table
from nerva_core.training.catalogue import TABLES


def names_of(table: Table[Any]) -> list[str]:
    """Those of the entries, and their aliases."""
    return [name for entry in table for name in (entry.__name__, *vars(entry).get("aliases", ()))]


NAMES = sorted({name for table in TABLES.values() for name in names_of(table)})
PARAMETERS = ["alpha", "mu", "lambda", "eta0", "n", "path", "name", "beta1", "optimizer", "p", "size", "outputs", "x", "seed", "scaling"]
NUMBERS = [
    *("0", "1", "-1", "0.5", "1e308", "1e999", "-1e999", "1e-400", "nan", "inf", "9" * 30, "9" * 500),
    *("1.", ".5", "1e", "0x10", "1_000", "--1"),
]
ODD = [
    *("", " ", "(", ")", "[", "]", ",", ";", "=", "'", '"', "\\", "\0", "\n", "é", "σ", "𝕏"),
    *("true", "none", "q-", "__class__", "{}", "../../x"),
]
LONG = ["Momentum" + " " * 9000, "a+" * 4000, "MultiStep(" + "1," * 4000, "R" * 100_000]


def edits(text: str) -> st.SearchStrategy[str]:
    """The text with a few characters removed, doubled or put in."""
    edit = st.tuples(st.integers(0, max(0, len(text))), st.integers(0, 3), st.sampled_from(["", *ODD]))

    def apply(changes: list[tuple[int, int, str]]) -> str:
        result = text
        for place, length, new in changes:
            result = result[:place] + new + result[place + length :]
        return result

    return st.lists(edit, max_size=3).map(apply)


def values() -> st.SearchStrategy[str]:
    """The text of a value, nested."""
    number = st.sampled_from(NUMBERS) | st.integers().map(str) | st.floats().map(repr)
    word = st.sampled_from(NAMES + ODD) | st.text(max_size=8)
    return st.recursive(
        number | word,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
            st.tuples(st.sampled_from(NAMES), st.lists(parameters(inner), max_size=3)).map(lambda c: f"{c[0]}({', '.join(c[1])})"),
        ),
        max_leaves=8,
    )


def parameters(value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A value, with or without a name."""
    return value | st.tuples(st.sampled_from(PARAMETERS), value).map("=".join)


def calls(names: list[str] = NAMES) -> st.SearchStrategy[str]:
    """The text of an entry: sound, edited, or nested very deeply."""
    sound = st.tuples(st.sampled_from(names), st.lists(parameters(values()), max_size=3)).map(lambda c: f"{c[0]}({', '.join(c[1])})")
    deep = st.tuples(st.sampled_from(["WeightDecay(", "[", "GAF(", "f(x="]), st.sampled_from([2, 40, 60, 3000])).map(lambda d: d[0] * d[1])
    long = st.integers(0, len(LONG) - 1).map(LONG.__getitem__)
    return sound | sound.flatmap(edits) | st.sampled_from(names) | values() | deep | long


def table_calls() -> st.SearchStrategy[tuple[str, str]]:
    """A table, and the text of one of its entries."""
    names = {title: names_of(table) for title, table in TABLES.items()}
    return st.sampled_from(sorted(names)).flatmap(lambda title: st.tuples(st.just(title), calls(names[title])))


def layer_strings() -> st.SearchStrategy[tuple[str, list[int], str]]:
    """Layers with sizes, which mostly fit, and initializers."""
    sound = st.sampled_from(["ReLU", "Linear", "Softmax", "q-elu(lambda=0.02)", "SReLU(al=0,tl=0,ar=0,tr=1)", "LeakyReLU(0.1)", "gelu"])
    layer = sound | sound | st.sampled_from([*NAMES, "Dropout(0.2)", "q-"]) | calls()
    size = st.integers(1, 20) | st.integers(1, 20) | st.sampled_from([0, -1, 10**9, 10**30, 2**63])

    def sized(layers: list[str]) -> st.SearchStrategy[tuple[str, list[int], str]]:
        count = len(layers)
        sizes = st.lists(size, min_size=count + 1, max_size=count + 1) | st.lists(size, max_size=6)
        return st.tuples(
            st.just(";".join(layers)), sizes.map(lambda s: s or [1]), st.sampled_from(["He", "Xavier", "Zero;He", "", "nothing"])
        )

    return (st.lists(sound, min_size=1, max_size=5) | st.lists(layer, min_size=1, max_size=5)).flatmap(sized)


SETTINGS: dict[str, Any] = {
    "backend": ["numpy", "nmupy", "", 3],
    "dtype": ["float32", "float64", "float16", None],
    "seed": [0, 5, -1, 10**40, 1.5, True],
    "compile": [True, False, "no"],
    "loss": ["SoftmaxCrossEntropyOneHot", "SquaredError", "CrossEntropy", "BinaryCrossEntropy", "NegativeLogLikelihood", "MSE", "nothing"],
    "optimizer": ["Adam", "Momentum(mu=0.9)", "WeightDecay(Adam, 0.1)", "RMSProp", {"name": "Nesterov", "mu": 2}, {"name": 3}, {}, []],
    "schedule": ["Constant(0.1)", "Constant(1e300)", "Cosine(0.1, n=2)", "MultiStep(0.1, [1, 2], 0.5)", "TimeBased(0.1, 1e308)", "Step"],
}
DATA = [
    *("Checkerboard(n=8)", "Checkerboard(n=1)", "Checkerboard(n=20, cells=1)", "Spirals(n=9, arms=2)", "Spirals(n=9, arms=1000000000)"),
    *("Spirals(n=30, turns=1e308)", "SineOfSum(n=9, d=2)", "SineOfSum(n=9, d=1000000000000)", "Checkerboard(n=1000000000000)"),
    *("CSV(path='~nosuchuser/x.csv')", "NPZ(path='~/nothing.npz')", "IDX(path='~nosuchuser')", "Text(path='~\0')"),
    *("Checkerboard(n=8, cells=9223372036854775807)", "Checkerboard(n=8, scaling='standard')", "Digits(train=20, test=5)", "Digits"),
    *("CSV(path='/etc/passwd')", "NPZ(path='/dev/zero')", "IDX(path='/proc')", "CSV(path='\\0')", "Checkerboard(n=8, train=3, test=1)"),
]
WITH_SIZES = ["Linear(2)", "Linear(4);ReLU;Linear(2)", "Linear(4);LayerNorm;Linear", "Conv(2, 3);Linear(10)", "Conv(2, 3);Flatten;Linear"]
LAYERS = ["Linear", "ReLU;Linear", "ReLU;BatchNormalization;Linear", "Softmax", "Dropout(0.5);Linear", "q-elu;Linear", "SReLU;Linear"]


def settings_of_a_run() -> st.SearchStrategy[dict[str, Any]]:
    """A configuration as a dictionary: a sound one with up to three settings changed."""
    size = st.sampled_from([1, 2, 3, 10, 64, 10**9, 10**18])
    layers = st.sampled_from(["Linear(2)", "Linear(10)", "ReLU", {"name": "Linear", "outputs": 2}, "Dropout(0.5)"])
    choices: dict[str, st.SearchStrategy[Any]] = {
        **{key: st.sampled_from(options) for key, options in SETTINGS.items()},
        "data": st.sampled_from(DATA),
        "model": st.one_of(
            st.fixed_dictionaries({"layers": st.sampled_from(LAYERS), "sizes": st.lists(size, min_size=2, max_size=3)}),
            st.fixed_dictionaries({"layers": st.lists(layers)}),
            st.sampled_from([*WITH_SIZES, *LAYERS]).map(lambda text: {"layers": text}),
            st.sampled_from(LAYERS[1:]).map(lambda text: {"layers": text, "sizes": [2, *[3] * text.count("LU"), 2]}),
        ),
        "training": st.fixed_dictionaries(
            {"epochs": st.sampled_from([1, 2])}, optional={"batch_size": st.sampled_from([1, 5, 10**30, 0, -1, 2.5])}
        ),
    }
    good = {"data": DATA[0], "model": {"layers": "Linear", "sizes": [2, 2]}, "training": {"epochs": 1}}
    change = st.sampled_from(sorted(choices)).flatmap(lambda key: st.tuples(st.just(key), choices[key]))
    return st.lists(change, max_size=3).map(lambda changes: {**good, **dict(changes)})


BAD_TOML = [
    *("a = " + "[" * 3000, "seed = " + "9" * 6000, "a." * 3000 + "b = 1", "model = 3", "[model]\nmodel = 1\n[model]", "data = 2020-01-01"),
    *("seed = 1e400", "\ufeffseed = 1", "seed = 0x10", "[data]\nname = 'Digits'\nname = 'x'", "data = {name = {name = 'Digits'}}"),
]


def toml_texts() -> st.SearchStrategy[str]:
    """TOML, edited, and what only looks like it."""
    whole = settings_of_a_run().map(lambda value: tomli_w.dumps({k: v for k, v in value.items() if v is not None and v != []}))
    odd = st.integers(0, len(BAD_TOML) - 1).map(BAD_TOML.__getitem__)
    return whole.flatmap(edits) | odd | st.text(max_size=60)


SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (6,), (6, 1), (6, 4), (6, 2), (0, 4), (6, 0), (6, 2, 2), (1, 6, 4), (6, 1, 1, 4)]
DTYPES = ["float64", "float32", "float16", "int64", "int8", "uint8", "bool", "complex64", "U3", "S2", "M8[s]", ">f4", "V4", "f8,i4"]


def shaped(name: str) -> st.SearchStrategy[bytes]:
    """A NumPy archive of sound form, whose arrays have any shapes and types; 0-d ones among them."""
    array = st.tuples(st.sampled_from(SHAPES[3:6]) | st.sampled_from(SHAPES), st.sampled_from(DTYPES[:7]) | st.sampled_from(DTYPES))

    def written(arrays: dict[str, tuple[tuple[int, ...], str]]) -> bytes:
        content = io.BytesIO()
        filled = {key: (np.arange(np.prod(shape, dtype=int)) % 2).astype("int64") for key, (shape, _) in arrays.items()}
        with np.errstate(all="ignore"):
            np.savez(content, **{key: made(filled[key], *arrays[key]) for key in arrays})
        return content.getvalue()

    names = ["Xtrain", "Ttrain", "Xtest", "Ttest"] if name == "data" else ["X"]
    return st.fixed_dictionaries(dict.fromkeys(names, array)).map(written)


def made(numbers: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """The numbers in a shape and type; zeros where the type is not that of a number."""
    return numbers.astype(dtype).reshape(shape) if np.dtype(dtype).kind in "fiubcUS" else np.zeros(shape, dtype)


def idx_of_any_shape() -> st.SearchStrategy[bytes]:
    """An IDX file that is sound, of any number of dimensions from 0 on."""
    return st.sampled_from(SHAPES).map(
        lambda shape: struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(k % 2 for k in range(math.prod(shape)))
    )


ENVIRONMENT: dict[str, list[str]] = {
    "COLUMNS": ["", "0", "-1", "x", "7", "99999"],
    "TERM": ["", "dumb", "nothing"],
    "MPLBACKEND": ["module://absent", "", "qt"],
    "NO_COLOR": ["1", ""],
    "FORCE_COLOR": ["1", "x"],
    "HOME": ["", "/nonexistent", "~"],
    "TMPDIR": ["/nonexistent", ""],
    "OMP_NUM_THREADS": ["0", "x"],
    "KERAS_BACKEND": ["bogus"],
    "JAX_PLATFORMS": ["cuda", "bogus"],
}
"""Variables that programs under the command read."""


def environments() -> st.SearchStrategy[dict[str, str]]:
    """Some of them, with odd values."""
    return st.lists(st.sampled_from(sorted(ENVIRONMENT)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: st.sampled_from(ENVIRONMENT[name]) for name in names})
    )


BOUNDARIES = [0, 1, 2, 127, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """A file with bytes changed, cut out, put in or repeated, numbers replaced by those at boundaries, or a changed JSON header."""
    place = st.integers(0, len(content))
    number = st.tuples(place, st.sampled_from(["<I", ">I", "<Q", "<H", "B"]), st.sampled_from(BOUNDARIES))
    change = st.one_of(
        st.tuples(place, st.integers(0, 30), st.binary(max_size=8)).map(lambda e: ("splice", *e)),
        number.map(lambda e: ("splice", e[0], struct.calcsize(e[1]), struct.pack(e[1], e[2] % 256 ** struct.calcsize(e[1])))),
        place.map(lambda at: ("cut", at, 0, b"")),
        place.map(lambda at: ("repeat", at, 0, b"")),
    )

    def apply(changes: list[tuple[str, int, int, bytes]]) -> bytes:
        result = content
        for kind, at, length, new in changes:
            if kind == "cut":
                result = result[:at]
            elif kind == "repeat":
                result = result + result[at : at + 500]
            else:
                result = result[:at] + new + result[at + length :]
        return result

    anything = st.binary(max_size=200)
    bytewise = st.lists(change, min_size=0, max_size=3).map(apply)
    return st.one_of(bytewise, bytewise, headers(content), anything) if content[8:9] == b"{" else st.one_of(bytewise, bytewise, anything)


def headers(content: bytes) -> st.SearchStrategy[bytes]:
    """A safetensors file whose JSON header says something else: other types, shapes, offsets, metadata."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    keys = sorted(header)
    descriptions = ['{"config": "seed = 3", "inputs": "2"}', '{"config": "", "inputs": "99999999999999"}', '{"inputs": "²"}', "[1]", "null"]
    types = ["BF16", "F16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "X", "", None, 3, [], {}, [0], [2**60, 2], [-1], "[" * 2000]
    new = st.sampled_from([*types, *descriptions])
    where = st.tuples(st.sampled_from(keys), st.sampled_from(["dtype", "shape", "data_offsets", "nerva", "more"]), new)

    def apply(changes: list[tuple[str, str, Any]]) -> bytes:
        changed = json.loads(json.dumps(header))
        for key, field, value in changes:
            changed.setdefault(key, {})[field] = value
        text = json.dumps(changed).encode()
        return len(text).to_bytes(8, "little") + text + content[8 + length :]

    return st.lists(where, min_size=1, max_size=3).map(apply)
