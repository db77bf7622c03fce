"""The font of the equations, so that they look the same everywhere, phones without a font for mathematics included.

It is STIX Two Math, under the SIL Open Font License, which the package ziamath carries; the site gets the glyphs that it needs.
"""

from __future__ import annotations

import io
import re
from importlib import resources

ALWAYS = "".join(map(chr, range(0x20, 0x7F))) + "()[]{}|√"


def math_font(pages: str) -> bytes:
    """A WOFF file with every character in the formulas of the pages, and the larger forms of brackets and roots."""
    from fontTools import subset

    options = subset.Options(flavor="woff", layout_features=["*"], notdef_outline=True, name_IDs=["*"])
    options.drop_tables = [table for table in options.drop_tables if table != "MATH"]
    with resources.as_file(resources.files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf") as path:
        font = subset.load_font(path, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=ALWAYS + characters(pages))
    subsetter.subset(font)
    buffer = io.BytesIO()
    subset.save_font(font, buffer, options)
    return buffer.getvalue()


def characters(pages: str) -> str:
    """Those of the formulas, with the italic letters that a browser shows for a variable of one letter."""
    formulas = "".join(re.findall(r"<math.*?</math>", pages, re.DOTALL))
    text = set(re.sub(r"<[^>]*>", "", formulas))
    return "".join(sorted(text | {italic for c in text for italic in _italic(c)}))


def _italic(c: str) -> str:
    if "A" <= c <= "Z":
        return chr(0x1D434 + ord(c) - ord("A"))
    if "a" <= c <= "z":
        return "ℎ" if c == "h" else chr(0x1D44E + ord(c) - ord("a"))
    if "Α" <= c <= "Ω":
        return chr(0x1D6E2 + ord(c) - ord("Α"))
    if "α" <= c <= "ω":
        return chr(0x1D6FC + ord(c) - ord("α"))
    return {"ϕ": "𝜙", "ϵ": "𝜖", "∂": "𝜕"}.get(c, "")
