"""The source of the package, listed in a notebook."""

import inspect
import textwrap

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.style import Style
from pygments.token import Comment, Keyword, Name, Number, Operator, String


class _Readable(Style):
    """Colours of at least 4.5:1 on the listing's own light background, which it keeps in a dark theme too."""

    background_color = "#f6f7f9"
    styles = {  # noqa: RUF012 - pygments' own way to declare a style
        Comment: "italic #5a6570",
        Keyword: "bold #005a8f",
        Name.Builtin: "#005a8f",
        Name.Class: "bold #a03e00",
        Name.Function: "bold #a03e00",
        Name.Decorator: "#7a3b69",
        Number: "#00654a",
        Operator: "#222222",
        String: "#00654a",
    }


class Source:
    """Python source that prints as it is and shows highlighted in a notebook."""

    def __init__(self, text: str, origin: str = "") -> None:
        self.text, self.origin = text, origin

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        box = "padding:.7em 1em;border-left:4px solid #0072B2"
        text = "background:transparent;color:#222;margin:0"  # or the notebook's theme sets its own
        formatter = HtmlFormatter(noclasses=True, style=_Readable, cssstyles=box, prestyles=text)
        origin = f'<div style="font-size:85%">{self.origin}</div>' if self.origin else ""
        return f"{origin}{highlight(self.text, PythonLexer(), formatter)}"


def source(thing: object) -> Source:
    """The source of a class, function or method, as it stands in the package."""
    module = inspect.getmodule(thing)
    origin = module.__name__.replace(".", "/") + ".py" if module else ""
    return Source(textwrap.dedent(inspect.getsource(thing)).rstrip(), origin)
