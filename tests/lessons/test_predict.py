"""A prediction: neutral until it is made, kept when the cell runs again, and text where no widget can run."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnlab import course, view
from cnnlab.lessons import predict
from cnnlab.teaching import site, teach

WIDGET = site.WIDGET
QUESTION = "Which one learns its training images?"
DEPTHS = {"20 layers": 20, "56 <layers>": 56, "no difference": None}


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.setattr(predict, "_chosen", {})


def test_untouched_it_is_neutral():
    guess = course.predict("06.depth", DEPTHS, QUESTION)
    assert guess.choice is None and guess.value is None and guess.control.index is None
    assert repr(guess) == f"{QUESTION}  ○ 20 layers  ○ 56 <layers>  ○ no difference  (Nothing is chosen yet.)"
    assert repr(guess.beside("20 layers")) == "Measured: 20 layers. (No prediction was made.)"


def test_a_choice_is_known_and_kept_when_the_cell_runs_again():
    guess = course.predict("06.depth", DEPTHS, QUESTION)
    guess.control.index = 1  # as a hand does
    assert (guess.choice, guess.value) == ("56 <layers>", 56)
    assert "You predict: 56 &lt;layers&gt;." in guess._said.value
    again = course.predict("06.depth", DEPTHS, QUESTION)
    assert (again.choice, again.value) == ("56 <layers>", 56) and "● 56 <layers>" in repr(again)
    assert course.predict("06.width", DEPTHS).choice is None
    assert course.predict("06.depth", ["deep", "shallow"]).choice is None  # another question now
    beside = again.beside("20 layers")
    assert str(beside) == repr(beside) == "You predicted: 56 <layers>. Measured: 20 layers."
    assert "56 &lt;layers&gt;" in beside._repr_html_()


def test_an_option_may_stand_for_nothing_and_a_label_for_itself():
    guess = course.predict("06.depth", DEPTHS)
    guess.control.value = "no difference"
    assert (guess.choice, guess.value) == ("no difference", None)
    named = course.predict("06.names", ["deep", "shallow"])
    named.control.value = "deep"
    assert named.value == "deep"


def test_the_control_has_its_question_as_label():
    assert course.predict("06.depth", DEPTHS, QUESTION).control.description == QUESTION


@pytest.mark.parametrize("options", [[], ["one"], ["same", "same"], [1, 2], {}])
def test_there_has_to_be_something_to_choose_from(options):
    with pytest.raises(ValueError, match=r"06\.depth needs at least two different options"):
        course.predict("06.depth", options)


@pytest.fixture(scope="module")
def executed():
    """A lesson with a prediction, run without a front end."""
    source = f"from cnnlab import course\nguess = course.predict('06.depth', {DEPTHS}, {QUESTION!r})\nguess"
    cells = [new_markdown_cell("# 06 · A lesson"), new_code_cell(source), new_code_cell("guess.beside('20 layers')")]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120).execute()
    return notebook


@pytest.mark.slow  # a kernel
def test_a_stored_notebook_has_the_question_and_the_options_as_text(executed):
    data = executed.cells[1].outputs[0].data
    view_of = data[WIDGET]["model_id"]
    assert view_of in executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert QUESTION in data["text/html"] and "<li>56 &lt;layers&gt;</li>" in data["text/html"]
    assert view_of not in data["text/html"] + data["text/plain"]  # a comparison of outputs finds the same
    assert data["text/plain"].endswith("(Nothing is chosen yet.)")


@pytest.mark.slow  # seconds
def test_the_site_and_the_slides_show_the_question(executed, tmp_path):
    lesson = tmp_path / "06-lesson.ipynb"
    nbformat.write(executed, lesson)
    site.build(tmp_path / "site", [lesson], moving=False)
    page = (tmp_path / "site" / "06-lesson.html").read_text(encoding="utf-8")
    assert QUESTION in page and "<li>no difference</li>" in page and "Measured: 20 layers." in page
    teach.slides(lesson, tmp_path / "slides.html")
    assert "<li>no difference</li>" in (tmp_path / "slides.html").read_text(encoding="utf-8")


PICTURES = [
    lambda: view.lines({"20 layers": [1, 2], "56 layers": [1, 1]}, x="epoch", y="accuracy (%)"),
    lambda: view.dots({"20 layers": [1, 2], "56 layers": [1, 1]}, label="accuracy (%)"),
    lambda: view.shares({"20 layers": {"a": 1}, "56 layers": {"a": 2}}, unit="M"),
    lambda: view.scatter({"20 layers": (1, 2), "56 layers": (10, 1)}, x="cost", y="gain"),
]


@pytest.mark.parametrize("make", PICTURES)
def test_a_picture_marks_what_was_predicted(make):
    picture = make()
    before = picture.alt
    assert view.predicted(picture, None) is picture
    marked = view.predicted(picture, "56 layers")
    assert marked.alt == f"{before} You predicted: 56 layers."
    marked.png()  # drawing does not write the names anew
    axis = marked.figure.axes[0]
    texts = [*axis.texts, *axis.get_yticklabels(), *(axis.get_legend().texts if axis.get_legend() else [])]
    assert [t.get_text().split("\n")[0] for t in texts if "predicted" in t.get_text()] == ["56 layers ◂ you predicted"]
    with pytest.raises(ValueError, match=r"does not show '110 layers'\. It names: .*20 layers"):
        view.predicted(make(), "110 layers")


def test_a_place_on_an_axis_is_marked():
    picture = view.predicted(PICTURES[0](), x=1.5)
    assert picture.alt.endswith("You predicted: epoch 1.5.")
    assert list(picture.figure.axes[0].lines[-1].get_xdata()) == [1.5, 1.5]
    picture = view.predicted(PICTURES[0](), y=0)  # nothing is not zero
    assert list(picture.figure.axes[0].lines[-1].get_ydata()) == [0, 0]
