"""The claims: computed figures agree with what is stated, and what is not computed says why."""

import pytest

from cnnlab import course, measure, models
from cnnlab.lessons.facts import NETWORKS, SIBLINGS

CLAIMS = course.all_claims()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: f"{c.lesson} {c.id}")
def test_a_claim_is_what_its_status_says(claim):
    if claim.status == "exact":
        assert claim.compute() == claim.stated
    elif claim.status == "variant":
        assert claim.compute() != claim.stated and claim.why
    elif claim.status == "reported only":
        assert claim.compute is None and claim.why
    else:
        assert claim.status == "measured" and claim.compute is None
    assert claim.source


def test_ids_are_unique_within_a_lesson():
    assert len({(c.lesson, c.id) for c in CLAIMS}) == len(CLAIMS)


def test_the_table_holds_measured_figures_and_demands_them():
    text = repr(course.claims("01", handwritten="98 %", street="44 %"))
    assert "60,000" in text and "340,908" in text and "98 %" in text
    with pytest.raises(ValueError, match="handwritten"):
        course.claims("01")


@pytest.mark.parametrize(
    "network", [n for n in NETWORKS + SIBLINGS if n.name in models.list_models()], ids=lambda n: n.name
)
def test_the_map_shows_what_the_networks_really_cost(network):
    cost = measure.cost(models.get_model(network.name), (3, network.size, network.size))
    assert (cost.params, cost.macs) == (network.params, network.macs)
