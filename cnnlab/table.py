"""The one table of the project: rows of values that print as aligned text and, in a notebook, as HTML."""

from collections.abc import Iterable, Sequence
from html import escape


class Table:
    """Rows under a header, shown as text by `print` and as an HTML table by a notebook.

    Integers get thousands separators, other numbers are shown as given: format floats before they come here.

    >>> Table(["layer", "params"], [["C1", 156], ["C3", 1516]], caption="LeNet-5")
    LeNet-5
    layer  params
    C1        156
    C3      1,516
    """

    def __init__(self, header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        self.header = list(header)
        self.rows = [list(row) for row in rows]
        self.caption = caption
        if wrong := [row for row in self.rows if len(row) != len(self.header)]:
            raise ValueError(f"each row needs {len(self.header)} values, one for each of {self.header}; got {wrong[0]}")

    def _texts(self) -> list[list[str]]:
        return [[_text(value) for value in row] for row in self.rows]

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers, or texts that begin with one: they are set flush right."""
        columns = zip(*self._texts(), strict=True) if self.rows else [()] * len(self.header)
        return [all(text[:1] in "0123456789+-−–±" for text in column if text) for column in columns]

    def __repr__(self) -> str:
        texts = self._texts()
        widths = [max(map(len, column)) for column in zip(self.header, *texts, strict=True)]
        numeric = self._numeric()

        def line(cells: Sequence[str]) -> str:
            aligned = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True))
            return "  ".join(aligned).rstrip()

        return "\n".join([*([self.caption] if self.caption else []), line(self.header), *map(line, texts)])

    def _repr_html_(self) -> str:
        aligns = ["right" if numeric else "left" for numeric in self._numeric()]

        def cell(tag: str, text: str, align: str) -> str:
            scope = ' scope="col"' if tag == "th" else ""
            whole = ";white-space:nowrap" if align == "right" and len(text) < 16 else ""  # 0.27 M stays in one line
            return f'<{tag}{scope} style="text-align:{align}{whole}">{escape(text)}</{tag}>'

        def line(tag: str, cells: Sequence[str]) -> str:
            return f"<tr>{''.join(cell(tag, text, align) for text, align in zip(cells, aligns, strict=True))}</tr>"

        caption = f'<caption style="text-align:left">{escape(self.caption)}</caption>' if self.caption else ""
        body = "".join(line("td", texts) for texts in self._texts())
        return f"<table>{caption}<thead>{line('th', self.header)}</thead><tbody>{body}</tbody></table>"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
