"""The floors of the house: nothing imports upwards."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from cnnlab import course, files, lessons
from cnnlab.table import Table

PACKAGE = Path(__file__).parents[1] / "cnnlab"
ABOVE = {  # what each room may use
    "table": set(),
    "files": set(),
    "device": {"table"},
    "models": {"files"},
    "data": {"files"},
    "training": {"models", "data", "files", "table", "device"},
    "measure": {"models", "data", "files", "table", "device"},
    "view": {"models", "data", "training", "measure", "table", "device"},
    "lessons": {"models", "data", "training", "measure", "files", "table", "device", "view"},
    "course": {"lessons"},
    "teaching": {"course", "lessons", "files", "view"},
    "commands": {"models", "data", "training", "measure", "view", "lessons", "teaching", "table", "device"},
}


def imported(path: Path) -> set[str]:
    """The rooms of cnnlab that a file imports from, relative imports included."""
    rooms = set()
    package = ["cnnlab", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cnnlab.")}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = [*base, *(node.module.split(".") if node.module else [])]
            if full == ["cnnlab"]:
                rooms |= {alias.name for alias in node.names}
            elif full[0] == "cnnlab":
                rooms.add(full[1])
    return rooms


@pytest.mark.parametrize("room", ABOVE)
def test_no_room_imports_from_above(room):
    place = PACKAGE / room
    files = list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    assert files
    for file in files:
        assert imported(file) - {room} <= ABOVE[room], file.name


def test_no_lesson_uses_another():
    for file in (PACKAGE / "lessons").glob("*/*.py"):
        text, topic = file.read_text(encoding="utf-8"), file.parent.name
        used = set(re.findall(r"cnnlab\.lessons\.(\w+)", text)) & set(lessons.TOPICS.values())
        assert used <= {topic}, f"{file.parent.name}/{file.name} uses {used - {topic}}"


def test_every_topic_has_its_folder_and_its_notebook():
    folders = {path.name for path in (PACKAGE / "lessons").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(lessons.TOPICS.values())
    assert [path.name[:2] for path in sorted(files.NOTEBOOKS.glob("*.ipynb"))] == list(lessons.TOPICS)
    assert all(set(lessons.TOPICS) >= {e.id[:2]} for e in course.exercises())


def test_files_are_written_whole_by_one_helper():
    """What replaces a file by hand forgets the power cut, or what is left beside it."""
    writers = [
        file
        for file in PACKAGE.rglob("*.py")
        if re.search(r"os\.replace\(beside|os\.rename", file.read_text(encoding="utf-8"))
    ]
    assert writers == [PACKAGE / "files.py"]
    assert not [file for file in PACKAGE.rglob("*.py") if "NamedTemporaryFile" in file.read_text(encoding="utf-8")]


def test_data_holds_files_only():
    assert not list(files.DATA.rglob("*.py"))
    assert {path.name for path in files.DATA.iterdir()} <= {"weights", "records", "surfaces", "pictures", "downloads"}


def test_every_room_has_its_rule():
    rooms = {p.stem for p in PACKAGE.iterdir() if not p.name.startswith("__")}
    assert rooms == set(ABOVE)


def test_a_table_shows_as_text_and_as_escaped_html():
    table = Table(["layer", "params"], [["C1 <b>", 1516], ["total", 60000]], "LeNet")
    assert str(table).splitlines() == ["LeNet", "layer   params", "C1 <b>   1,516", "total   60,000"]
    assert "C1 &lt;b&gt;" in table._repr_html_() and "60,000" in table._repr_html_()
    assert 'white-space:nowrap">60,000<' in table._repr_html_()  # a short number is not broken over two lines
    with pytest.raises(ValueError, match="each row needs 2 values"):
        Table(["a", "b"], [[1]])


NOT_TEXT = ("Image", "os", "tarfile", "lab")  # whose `open` is another one


def test_every_text_is_read_and_written_as_utf_8():
    """Windows would take another encoding, and the lessons' texts have characters that it does not know."""
    forgotten = []
    for file in (path for room in ("cnnlab", "tests", "benchmarks") for path in (PACKAGE.parent / room).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, (ast.Attribute, ast.Name)):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
            given = {keyword.arg for keyword in call.keywords}
            binary = any(isinstance(a, ast.Constant) and "b" in str(a.value) for a in call.args)
            no_text = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in NOT_TEXT
            if name in ("read_text", "write_text") or (name == "open" and not binary and not no_text):
                forgotten += [] if "encoding" in given else [f"{file.name}:{call.lineno}"]
    assert forgotten == []


def test_what_is_written_goes_where_the_path_leads(tmp_path, monkeypatch):
    """To the end of a link, which stays; to the home folder; and under a name as long as can be."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "far")
    for path in ("link", "~/near", "n" * 255):
        for content in ("old", "new"):
            with files.written_whole(path) as beside:
                beside.write_text(content, encoding="utf-8")
        assert files.place(path).read_text(encoding="utf-8") == "new"
    assert (tmp_path / "link").is_symlink()
    assert {path.name for path in tmp_path.rglob("*")} == {"home", "near", "disk", "far", "link", "n" * 255}


def test_text_has_one_line_end_on_every_system():
    """A lesson is told from a learner's changed copy by its bytes."""
    listed = subprocess.run(["git", "ls-files", "--eol"], cwd=PACKAGE.parent, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no checkout")
    for line in listed.stdout.splitlines():
        kinds, name = line.split("\t")
        assert kinds.split()[:1] == ["i/-text"] or "eol=lf" in kinds, name
        assert "crlf" not in kinds and "mixed" not in kinds, name
