"""Pages that stand alone: one style, light and dark, for a screen of any width, with nothing that is loaded from elsewhere."""

from __future__ import annotations

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --paper: #fdfdfb; --soft: #667; --line: #d8dade; --panel: #f4f4f0;
  --good: #17692f; --bad: #a61b1b; --note: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e0; --paper: #16181c; --soft: #9a9fa8; --line: #34383f; --panel: #1e2126;
  --good: #6fcf8a; --bad: #ff8a80; --note: #e3b55a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 6rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 Georgia, "Times New Roman", serif; overflow-wrap: break-word; }
h1 { font-size: 2rem; font-weight: normal; margin: 0 0 .5rem; line-height: 1.2; }
h2 { font-size: 1.35rem; font-weight: normal; margin: 3.5rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1.1rem; margin: 2.2rem 0 .4rem; }
nav { columns: 3 14rem; margin: 1.5rem 0; } nav a { display: block; break-inside: avoid; }
a { color: inherit; text-decoration-color: var(--soft); }
.equations { background: var(--panel); border-radius: .4rem; padding: .5rem 1.25rem; margin: .6rem 0; overflow-x: auto; }
.equations p { color: var(--soft); font-size: .85rem; margin: .5rem 0 0; }
math { font-size: 1.05rem; margin: .5rem 0; } math[display=block] { text-align: left; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: normal; color: var(--soft); } td.time { text-align: right; white-space: nowrap; color: var(--soft); }
figure { margin: 1.5rem 0; } figure img { max-width: 100%; height: auto; background: white; border-radius: .4rem; }
figcaption, .small { font-size: .85rem; color: var(--soft); } .scroll { overflow-x: auto; }
.good { color: var(--good); } .note { color: var(--note); } .bad { color: var(--bad); } .soft { color: var(--soft); }
"""


def document(title: str, body: str, style: str = "") -> str:
    """A whole page; ``body`` is HTML, ``style`` what this page needs beyond ``STYLE``."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def anchor(text: str) -> str:
    """The text as the name of a place in a page."""
    return "".join(c if c.isalnum() else "-" for c in text)
