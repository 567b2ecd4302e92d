"""Pages: words, tables and plots as one HTML document that needs nothing else to be read.

What is given as text is escaped; what is called `html` or `content` is markup already.
"""

import html
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.report.svg import Figure

_STYLE = Path(__file__).with_name("page.css")

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{lead}</p>
{notices}
<dl>
{facts}
</dl>
</header>
<main>
{sections}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table; the first cell of each row names it."""

    name: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page; `name` is unique in it, `content` is markup."""

    name: str
    heading: str
    content: str


def page(
    title: str,
    lead: str,
    sections: Sequence[Section],
    *,
    facts: Mapping[str, str],
    notices: Sequence[str] = (),
) -> str:
    """The document as HTML.

    Args:
        title: what is reported.
        lead: what it is about, in a sentence.
        sections: its parts, in order.
        facts: what the reader should know of it, by name.
        notices: what is to be seen before any number.
    """
    return _PAGE.format(
        title=html.escape(title),
        style=_STYLE.read_text(encoding="utf-8"),
        lead=html.escape(lead),
        notices="\n".join(f'<p class="notice">{html.escape(one)}</p>' for one in notices),
        facts="\n".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
            for name, value in facts.items()
        ),
        sections="\n".join(_section(one) for one in sections),
    )


def figures_html(figures: Sequence[Figure]) -> str:
    """Plots beside one another where there is room."""
    return '<div class="figures">\n' + "\n".join(_figure(one) for one in figures) + "\n</div>"


def table_html(table: Table, *, strong: str = "", marked: Collection[str] = ()) -> str:
    """A table that scrolls by itself where it is too wide.

    The row named `strong` is set in bold; a cell whose text is one of `marked` is of the class of
    that name, with dashes for blanks.
    """
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.head)
    rows = "\n".join(_row(row, strong, marked) for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(table.caption)}">'
        f'<table id="{table.name}"><caption>{html.escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _section(section: Section) -> str:
    return (
        f'<section aria-labelledby="{section.name}"><h2 id="{section.name}">'
        f"{html.escape(section.heading)}</h2>\n{section.content}\n</section>"
    )


def _figure(figure: Figure) -> str:
    return (
        f'<figure id="{figure.name}"><h3>{html.escape(figure.title)}</h3>\n{figure.svg}\n'
        f"<figcaption>{html.escape(figure.caption)}</figcaption></figure>"
    )


def _row(row: Sequence[str], strong: str, marked: Collection[str]) -> str:
    name, *cells = row
    emphasis = ' class="strong"' if name == strong else ""
    told = "".join(_cell(cell, marked) for cell in cells)
    return f'<tr{emphasis}><th scope="row">{html.escape(name)}</th>{told}</tr>'


def _cell(text: str, marked: Collection[str]) -> str:
    kind = f' class="{text.replace(" ", "-")}"' if text in marked else ""
    return f"<td{kind}>{html.escape(text)}</td>"
