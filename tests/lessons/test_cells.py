"""In a notebook: a cell that Python cannot read, a name that no cell has made yet, a training that is stopped."""

import io
from contextlib import redirect_stdout

import pytest
from IPython.core.interactiveshell import InteractiveShell

from cnnlab import course, data, device, models, training

SOURCE = next(e for e in course.exercises("01") if e.id == "01.output-size").solution


@pytest.fixture
def notebook(monkeypatch):
    """A shell as a kernel has it: what a cell prints, and whether it failed."""
    shell = InteractiveShell()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)

    def run(text: str) -> tuple[str, bool]:
        printed = io.StringIO()
        with redirect_stdout(printed):
            result = shell.run_cell(text, store_history=True)
        return printed.getvalue() + repr(result.result), not result.success

    run("from cnnlab import course")
    return run


CHECK = 'course.check("01.output-size", output_size)'


def test_after_a_syntax_error_the_answer_before_is_not_judged(notebook):
    notebook(SOURCE)
    assert "Passed" in notebook(CHECK)[0]
    assert notebook("def output_size(size, kernel:\n    return 1")[1]
    said, failed = notebook(CHECK)
    assert "○ Not attempted yet" in said and "has a SyntaxError, so it did not run" in said and not failed
    notebook("print('another cell')\nx = (1,")
    assert "has a SyntaxError" in notebook(CHECK)[0]
    notebook(SOURCE)
    assert "Passed" in notebook(CHECK)[0]


def test_a_syntax_error_of_another_cell_changes_nothing(notebook):
    notebook(SOURCE)
    notebook("something_else = output_size(5, 3")
    assert "Passed" in notebook(CHECK)[0]
    notebook("%time output_size(5, 3)\n!ls")
    assert "Passed" in notebook(CHECK)[0]


def test_a_missing_name_says_that_a_cell_above_did_not_run(notebook):
    notebook('course.begin("00", **__import__("cnnlab.lessons.settings", fromlist=["a"]).defaults("00"))')
    said, failed = notebook("digits.train")
    assert failed and "NameError" in said
    assert "If a cell above makes 'digits', it has not run yet, or not to its end: run that cell first." in said


def test_the_stop_button_ends_the_cell_and_not_only_its_first_training(notebook, monkeypatch):
    notebook("from cnnlab import data, models, training\ndigits = data.load('handwritten', train=64, test=64)")
    notebook("def press(run): raise KeyboardInterrupt\ncount = []")
    training_cell = "for seed in range(3):\n    count.append(0)\n    run = training.fit(models.get_model('lenet5'), "
    training_cell += "digits, epochs=2, seed=seed, progress=False, on_epoch=press)"
    assert notebook(training_cell)[1]
    assert notebook("len(count), run.interrupted")[0].endswith("(2, True)")
    again = training_cell.replace(", on_epoch=press", "")
    assert not notebook(again)[1] and notebook("len(count), run.interrupted")[0].endswith("(5, False)")


def test_outside_of_a_notebook_a_script_goes_on(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    device.training_stopped()
    digits = data.load("handwritten", train=32, test=32)
    assert len(training.fit(models.get_model("lenet5"), digits, epochs=1, progress=False).history) == 1


def test_solutions_can_be_switched_off(monkeypatch):
    wrong = course.check("01.output-size", lambda size, kernel, stride=1, padding=0: 0)
    assert 'course.hint("01.output-size"), or course.solution("01.output-size")' in wrong.message
    monkeypatch.setenv("CNNLAB_SOLUTIONS", "off")
    wrong = course.check("01.output-size", lambda size, kernel, stride=1, padding=0: 0)
    assert 'course.hint("01.output-size").' in wrong.message and "course.solution" not in wrong.message
    assert "Solutions are off in this class" in repr(course.solution("01.output-size"))
    answer = course.answer("01.output-size", ...)
    assert answer(5, 3) == 3  # what the lesson goes on with
