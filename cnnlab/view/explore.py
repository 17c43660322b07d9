"""Widgets: a function of a few values that draws a picture, with a control for each value."""

import asyncio
import base64
import inspect
import threading
from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from cnnlab.view.picture import Picture


class Explorer(widgets.VBox):
    """Controls above a picture that follows them. Made by `explore`.

    All pictures are drawn in the thread that made it, in which the cells run. JupyterLab tells a widget of its values
    in another thread, also while a cell is running; there a picture would take a network's weights from under the
    cell that trains it.
    """

    def __init__(self, draw: Callable[..., Picture], controls: dict[str, widgets.Widget]) -> None:
        self._draw = draw
        self._home = threading.get_ident()
        try:
            self._loop = asyncio.get_running_loop()  # of the kernel: what it is given it does when no cell is running
        except RuntimeError:
            self._loop = None  # no kernel
        self._waiting = self._setting = False
        self.controls = controls
        self._shown = widgets.HTML()
        bar = widgets.Box(list(controls.values()), layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([bar, self._shown])
        self.add_class("widget-interact")
        self.picture: Picture | None = None
        self._first = self._update()
        for control in controls.values():
            control.observe(lambda _: self._follow(), "value")

    def set(self, **values: object) -> Picture:
        """Move controls as a hand would, and return the picture that then stands there."""
        self._setting = True  # one picture for all of them
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._setting = False
        return self._update()

    def drawn(self, **values: object) -> Picture:
        """What stands there for these values; no control moves. Raises ValueError where they cannot be together."""
        return self._draw(**values)

    def _follow(self) -> None:
        if self._loop is None or threading.get_ident() == self._home:
            if not self._setting:
                self._redraw()
        elif not self._waiting:  # one picture for all the values that went by in the meantime
            self._waiting = True
            self._loop.call_soon_threadsafe(self._redraw)

    def _redraw(self) -> None:
        """An error here would be shown nowhere: JupyterLab writes it into a log, and the old picture would stay."""
        self._waiting = False
        try:
            self._update()
        except Exception as error:
            self._say(f"{type(error).__name__}: {error}")

    def _say(self, text: str) -> None:
        self._shown.value = f'<p role="status">⚠ {escape(text)}</p>'

    def _update(self) -> Picture | None:
        try:
            self.picture = self.drawn(**{name: control.value for name, control in self.controls.items()})
        except ValueError as error:  # a combination that cannot be, such as a kernel larger than the image
            self._say(str(error))
            return None
        encoded = base64.b64encode(self.picture.png()).decode()
        alt = escape(self.picture.alt)
        width = round(self.picture.figure.get_figwidth() * 100)
        self._shown.value = (
            f'<img alt="{alt}" src="data:image/png;base64,{encoded}" style="max-width:100%;width:{width}px">'
            f'<p role="status" style="line-height:1.4">{alt}</p>'
        )
        return self.picture

    def __repr__(self) -> str:
        first = repr(self._first) if self._first else "Its first values cannot be together."
        return f"Explorer of {', '.join(self.controls)}. {first}"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The widget, and beside it the picture of its first state for pages where no widget can run."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        picture, metadata = self._first._repr_mimebundle_() if self._first else ({}, {})
        bundle = {"application/vnd.jupyter.widget-view+json": view, **picture, "text/plain": repr(self)}
        return bundle, metadata


def explore(draw: Callable[..., Picture], **controls: object) -> Explorer:
    """Controls for the arguments of `draw`, which returns a `Picture`; a ValueError is shown in its place.

    controls: for each argument a range (low, high[, step]), a list of choices, a bool, or a widget. They start at the
        defaults of `draw`.

    >>> explore(lambda kernel: ..., kernel=(1, 7, 2))  # doctest: +SKIP
    """
    made = {}
    defaults = {name: parameter.default for name, parameter in inspect.signature(draw).parameters.items()}
    for name, control in controls.items():
        start = defaults.get(name, inspect.Parameter.empty)
        known = isinstance(control, widgets.Widget)
        widget = control if known else widgets.interactive.widget_from_abbrev(control, start)
        if widget is None:
            raise ValueError(
                f"{name}={control!r}: give a range (low, high, step), a list of choices, a bool or a widget."
            )
        widget.description = widget.description or name.replace("_", " ")
        widget.style.description_width = "initial"
        made[name] = widget
    return Explorer(draw, made)
