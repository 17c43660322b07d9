"""The claims: each has a verdict that follows from its figure, and every verdict but "shown here" says why."""

import re
from dataclasses import replace
from html import unescape
from typing import get_args

import nbformat
import pytest
import torch

from cnnlab import course, files, lessons, measure, models
from cnnlab.lessons import claims
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, Verdict, compared
from cnnlab.lessons.facts import NETWORKS, SIBLINGS

CLAIMS = course.all_claims()
# Large networks, counted for a second or more each.
LONG = {"09 all_modern", "09 macs_resnext", "10 fewer", "12 large", "12 macs", "12 params", "13 macs_b7"}
LONG |= {"13 params_b7", "15 road_cost"}


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(c, id=f"{c.lesson} {c.id}", marks=[pytest.mark.slow] * (f"{c.lesson} {c.id}" in LONG))
        for c in CLAIMS
    ],
)
def test_a_claim_is_what_its_verdict_says(claim):
    assert claim.verdict in get_args(Verdict)  # "measured" alone is none
    assert claim.why or claim.verdict == SHOWN
    assert claim.source
    computed = claim.compute() if claim.compute is not None else None
    if claim.compute is not None:
        assert claim.follows(computed) == claim.verdict
    if claim.judge is None:
        assert (claim.compute is not None) == {SHOWN: True, VARIANT: True, REPORTED: False}[claim.verdict]
        assert claim.verdict == REPORTED or (computed == claim.stated) == (claim.verdict == SHOWN)
    else:
        assert claim.verdict != REPORTED
    assert bool(claim.figure) <= claim.measured


def stored(lesson: str) -> list[list[str]]:
    """The rows of the table of claims, as the committed lesson shows them."""
    path = next(files.NOTEBOOKS.glob(f"{lesson}-*.ipynb"))
    tables = [
        output.data["text/html"]
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if ">statement</th>" in output.get("data", {}).get("text/html", "")
    ]
    assert len(tables) == 1
    rows = re.findall(r"<tr>(.*?)</tr>", tables[0])[1:]
    return [[unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]


@pytest.mark.parametrize("lesson", lessons.TOPICS)
def test_the_verdicts_follow_from_the_figures_that_the_lesson_shows(lesson):
    """For a lesson that hands over its figures in words: one that hands over numbers is judged where it runs."""
    rows, chosen = stored(lesson), course.all_claims(lesson)
    assert len(rows) == len(chosen)
    for row, claim in zip(rows, chosen, strict=True):
        if claim.measured and not claim.figure and not claim.timed:  # a time is of the machine it was taken on
            assert claim.follows(row[2]) == claim.verdict, (claim.id, row[2])


def test_ids_are_unique_within_a_lesson():
    assert len({(c.lesson, c.id) for c in CLAIMS}) == len(CLAIMS)


FEW = {
    "lesson": "99",
    "source": "a paper",
    "stated": "yes",
}
DEPTH = Claim(
    id="depth",
    statement="Deeper is worse",
    verdict=SHOWN,
    judge=lambda shallow, deep: compared(shallow - deep, least=3),
    figure="{:.1f} % with 20 layers, {:.1f} % with 56",
    **FEW,
)


@pytest.fixture
def lesson(monkeypatch):
    """Make lesson 99 of some claims."""

    def make(*some: Claim):
        monkeypatch.setattr(claims, "_CLAIMS", list(some))

    yield make
    course.begin("00", **lessons.settings.defaults("00"))


def test_the_table_holds_measured_figures_and_demands_them(lesson):
    told = Claim(id="won", statement="It won", verdict=REPORTED, why="ImageNet is 150 GB", **FEW)
    lesson(DEPTH, told)
    table = course.claims("99", depth=(88.14, 74))
    assert table.header == ["statement", "stated", "here", "verdict", "why", "source"]
    assert table.rows[0][2:5] == ["88.1 % with 20 layers, 74.0 % with 56", "shown here", ""]
    assert table.rows[1][2:5] == ["–", "reported only", "ImageNet is 150 GB"]
    assert "2 statements: 1 shown here, 1 reported only" in repr(table)
    with pytest.raises(ValueError, match="depth"):
        course.claims("99")
    with pytest.raises(ValueError, match="dept"):
        course.claims("99", dept=(1, 2))
    with pytest.raises(ValueError, match=r"depth is shown as .* not 3"):
        course.claims("99", depth=3)
    with pytest.raises(ValueError, match="depth cannot be judged"):
        course.claims("99", depth=(1, 2, 3))


def test_a_verdict_that_does_not_follow_is_refused(lesson):
    lesson(DEPTH)
    with pytest.raises(AssertionError, match=r"depth is declared 'shown here'.*makes it 'the opposite was measured'"):
        course.claims("99", depth=(74, 88))
    with pytest.raises(AssertionError, match="not shown at this scale"):
        course.claims("99", depth=(float("nan"), 88))
    counted = Claim(id="many", statement="All", verdict=SHOWN, compute=lambda: "most", **FEW)
    lesson(counted)
    with pytest.raises(AssertionError, match="many is declared 'shown here', and 'most' makes it 'a variant'"):
        course.claims("99")


def test_with_other_settings_the_table_shows_the_verdict_that_follows(lesson):
    lesson(DEPTH)
    course.begin("00", DATASET="street_digits", IMAGES=4000, EPOCHS=1)
    row = course.claims("99", depth=(74, 88)).rows[0]
    assert row[3:5] == ["the opposite was measured", "with these settings; with the lesson's own: shown here"]
    assert course.claims("99", depth=(88, 74)).rows[0][3:5] == ["shown here", ""]


def test_another_machine_may_take_another_time(lesson):
    slow = replace(DEPTH, timed=True, figure="{} s, {} s")
    lesson(slow)
    row = course.claims("99", depth=(1, 9)).rows[0]
    assert row[3:5] == ["the opposite was measured", "on this machine; where the lesson was written: shown here"]


def test_figures_in_words_are_judged_by_their_numbers(lesson):
    given = []

    def judge(*numbers):
        given.append(numbers)
        return SHOWN

    lesson(Claim(id="words", statement="So", verdict=SHOWN, judge=judge, **FEW))
    words = "ResNet-56: −6.4 points, +2 in 1,000 steps of float32, 3x3 kernels to 5e-07; 12.3M, 96.5 %."
    assert course.claims("99", words=words).rows[0][2] == words
    assert given == [(56, -6.4, 2, 1000, 3, 5e-07, 12.3, 96.5)]


def test_a_difference_has_to_be_large_enough():
    assert [compared(d, least=3) for d in (3, 2.9, 0, -2.9, -3)] == [SHOWN, NOT_SHOWN, NOT_SHOWN, NOT_SHOWN, OPPOSITE]


@pytest.mark.slow  # large networks
@pytest.mark.parametrize(
    "network", [n for n in NETWORKS + SIBLINGS if n.name in models.list_models()], ids=lambda n: n.name
)
def test_the_map_shows_what_the_networks_really_cost(network):
    with torch.device("meta"):
        cost = measure.cost(models.get_model(network.name), (3, network.size, network.size))
    assert (cost.params, cost.macs) == (network.params, network.macs)
