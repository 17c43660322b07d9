"""A prediction: before a result that surprises, the reader commits. It gives no points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import ipywidgets as widgets

_chosen: dict[str, str] = {}  # by id, for as long as the kernel runs: a cell that is run again keeps the choice


@dataclass(frozen=True)
class Beside:
    """What was predicted, beside what was measured; `str` gives the sentence."""

    predicted: str | None
    measured: str

    def __str__(self) -> str:
        if self.predicted is None:
            return f"Measured: {self.measured}. (No prediction was made.)"
        return f"You predicted: {self.predicted}. Measured: {self.measured}."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<p style="margin:.3em 0">{escape(str(self))}</p>'


class Prediction(widgets.VBox):
    """A question with its options, of which one can be chosen. Made by `predict`.

    options: what each label stands for in the figure that follows.
    """

    def __init__(self, id: str, question: str, options: Mapping[str, object]) -> None:
        self.id, self.question, self.options = id, question, dict(options)
        labels = list(self.options)
        self.control = widgets.RadioButtons(  # Tab and Space, which JupyterLab leaves alone: arrows move its cells
            options=labels,
            index=labels.index(_chosen[id]) if _chosen.get(id) in labels else None,
            description=question,
            style={"description_width": "initial"},
            layout=widgets.Layout(flex_flow="column", align_items="flex-start", width="auto"),
        )
        self._said = widgets.HTML()
        super().__init__([self.control, self._said])
        self.control.observe(lambda _: self._keep(), "index")
        self._keep()

    @property
    def choice(self) -> str | None:
        """The label that was chosen; None before."""
        return self.control.value

    @property
    def value(self) -> object:
        """What the chosen label stands for; None before."""
        return None if self.choice is None else self.options[self.choice]

    def beside(self, measured: object) -> Beside:
        """A sentence: what was predicted, and what was measured, in your words.

        >>> predict("06.example", ["20 layers", "56 layers"]).beside("20 layers")
        Measured: 20 layers. (No prediction was made.)
        """
        return Beside(self.choice, str(measured))

    def _keep(self) -> None:
        if self.choice is not None:
            _chosen[self.id] = self.choice
        self._said.value = f'<p role="status" style="margin:0">{escape(self._state())}</p>'

    def _state(self) -> str:
        return "Nothing is chosen yet." if self.choice is None else f"You predict: {self.choice}."

    def __repr__(self) -> str:
        options = "  ".join(f"{'●' if label == self.choice else '○'} {label}" for label in self.options)
        return f"{self.question}  {options}  ({self._state()})"

    def _repr_mimebundle_(self, **kwargs) -> dict:
        """The widget, and beside it the question and its options as text, for pages where no widget can run."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        listed = "".join(f"<li>{escape(label)}</li>" for label in self.options)
        text = f"<p><b>Predict first.</b> {escape(self.question)}</p><ul>{listed}</ul><p>{escape(self._state())}</p>"
        return {"application/vnd.jupyter.widget-view+json": view, "text/html": text, "text/plain": repr(self)}


def predict(
    id: str, options: Mapping[str, object] | Sequence[str], question: str = "What do you predict?"
) -> Prediction:
    """Ask for a prediction, with nothing chosen until the reader does, or with what was chosen before in this kernel.

    id: the lesson and a name ("06.depth"); options: labels, and for each what the figure can mark (a position, the name
    of a series, None); a list of labels stands for itself. Raises ValueError where there is nothing to choose from.
    """
    labelled = dict(options) if isinstance(options, Mapping) else {label: label for label in options}
    if len(labelled) < 2 or len(labelled) != len(options) or not all(isinstance(label, str) for label in labelled):
        raise ValueError(f"{id} needs at least two different options, each a text; it has {list(options)}.")
    return Prediction(id, question, labelled)
