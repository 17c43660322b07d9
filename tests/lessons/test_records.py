"""Records are there whole or not at all, and a damaged one is never taken for none."""

import json

import pytest

from cnnlab import course
from cnnlab.lessons import records


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    return tmp_path


def test_a_measurement_goes_on_with_what_it_saved(empty):
    assert records.record_so_far("study") == ({}, 0.0)
    records.save_record("study", "about", "python -m cnnlab record resnet study", 12.4, {"seed 0": [0.5]})
    assert records.record_so_far("study") == ({"seed 0": [0.5]}, 12)
    assert "python -m cnnlab record resnet study" in str(course.record("study"))


def test_a_damaged_record_is_not_taken_for_none(empty):
    (empty / "study.json").write_text('{"about": "cut', encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        records.record_so_far("study")


def test_a_record_that_cannot_be_written_leaves_the_last_one(empty):
    file = records.save_record("study", "about", "command", 1, {"a": 1})
    with pytest.raises(TypeError):
        records.save_record("study", "about", "command", 2, {"a": object()})
    assert json.loads(file.read_text(encoding="utf-8"))["results"] == {"a": 1}
    assert [path.name for path in empty.iterdir()] == ["study.json"]
