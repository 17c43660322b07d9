"""Arms at their own learning rates: what is trained, what is recorded, stopped and in several processes."""

import pytest

from cnnlab.lessons import arms, records

RATES = {"slow": (0.1, 0.2), "fast": (0.1, 0.2)}
SEEDS = (0, 1)
BEST = {"slow": 0.1, "fast": 0.4}
asked: list[tuple] = []


def trained(arm, lr, seed):
    asked.append((arm, lr, seed))
    right = 1 - abs(lr - BEST[arm])
    return {"lr": lr, "seed": seed, "curve": [[0.0, 0.0], [0.5, right]], "test": right + seed}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    asked.clear()


def compare(workers=1, train=trained):
    draft = records.Draft("arms", "command", workers=workers)
    arms.compare(draft, "about", train, RATES, SEEDS)
    return draft.results


def test_each_arm_is_trained_at_its_own_rate_which_lies_inside_what_was_tried():
    results = compare()
    assert [run["lr"] for run in results["slow"]["rates"]] == [0.1, 0.2, 0.05]
    assert [run["lr"] for run in results["fast"]["rates"]] == [0.1, 0.2, 0.4, 0.8]
    for arm, best in BEST.items():
        assert [(run["lr"], run["seed"]) for run in results[arm]["seeds"]] == [(best, 0), (best, 1)]
    assert len(asked) == len(set(asked)) == 9  # the best rate's first seed is not trained twice
    assert records.record("arms").results == results


def test_no_rate_beyond_is_tried_where_none_learns():
    """At chance two rates can be equal, and halving the lower would go on for ever."""
    draft = records.Draft("arms", "command")
    arms.compare(
        draft, "about", lambda arm, lr, seed: trained(arm, lr, seed) | {"curve": [[0, 0.1]]}, RATES, SEEDS, least=0.15
    )
    for results in draft.results.values():
        assert [run["lr"] for run in results["rates"]] == [0.1, 0.2]
        assert [run["seed"] for run in results["seeds"]] == [0, 1]


@pytest.mark.parametrize("until", range(9))
def test_stopped_it_goes_on_where_it_was(until):
    def stopping(*which):
        if len(asked) == until:
            raise KeyboardInterrupt
        return trained(*which)

    with pytest.raises(KeyboardInterrupt):
        compare(train=stopping)
    results = compare()
    assert len(asked) == len(set(asked)) == 9
    records.file_of("arms").unlink()
    assert results == compare()
    compare()
    assert len(asked) == 18  # a whole record: nothing is trained


@pytest.mark.slow  # starts processes
def test_several_processes_record_the_same():
    alone = compare()
    records.file_of("arms").unlink()
    assert compare(workers=2) == alone


def test_a_chosen_rate_at_the_edge_of_what_was_tried_is_seen_unless_nothing_was_learnt():
    results = compare()
    assert arms.chosen_inside(results)
    results["fast"]["rates"] = [run for run in results["fast"]["rates"] if run["lr"] < 0.8]
    assert not arms.chosen_inside(results)
    assert arms.chosen_inside(results, least=1.1)
