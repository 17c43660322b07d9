"""Lesson 16, transfer learning: what the record on solar cells shows, as tables and figures."""

import statistics
from collections.abc import Mapping, Sequence

from cnnlab import training
from cnnlab.lessons import rates
from cnnlab.lessons.transfer import solar, study
from cnnlab.table import Table
from cnnlab.view import BLUE, GREY, VERMILLION, Picture, figure

PROBE = "linear probe, ImageNet"
SCALED = f"{PROBE}, scaled"  # the last of the probes by depth: its features have mean 0 and standard deviation 1
NOTHING, HEAD = "fine-tuned", "7 stages frozen"


def measured(results: Mapping[str, Sequence[Mapping]]) -> training.Study:
    """Of a record only what was chosen on validation cells, strength or learning rate; seconds of the processor."""
    deep = [run for run in results["depths"] if run["network"] == solar.BY_DEPTH[0]]
    end = max((run["stages"] for run in deep), default=0)
    scaled = [{"method": SCALED} | run for run in deep if run["stages"] == end]
    found = []
    for part, setting in ((results["probes"], "strength"), (scaled, "strength"), (results["runs"], "lr")):
        cases = {(run["method"], run["labels"]) for run in part}
        best = {case: solar.chosen(part, *case, setting) for case in cases}
        kept = [run for run in part if run[setting] == best[run["method"], run["labels"]]]
        found += [run | {"seconds": run["processor_seconds"]} for run in kept]
    return training.Study(found)


def tried(runs: Sequence[Mapping], methods: Sequence[str], labels: int) -> dict[str, dict[float, float]]:
    """Balanced accuracy on the validation cells by learning rate, of the first seed."""
    first = [run for run in runs if run["seed"] == study.SEEDS[0] and run["labels"] == labels]
    return {name: {run["lr"]: run["validation"] for run in first if run["method"] == name} for name in methods}


def at_the_edge(runs: Sequence[Mapping]) -> list[tuple[str, int]]:
    """Methods and numbers of labels whose best learning rate has none that is worse on both sides."""
    cases = dict.fromkeys((run["method"], run["labels"]) for run in runs)
    searched = [case for case in cases if not case[0].endswith(solar.LONGER)]
    return [(name, count) for name, count in searched if rates.beyond(tried(runs, [name], count)[name])]


def overview(found: training.Study, methods: Mapping[str, str]) -> Table:
    """Means of all draws: balanced accuracy and accuracy by labels, and the seconds that 500 labels take.

    methods: what they are called here, and in the record.
    """
    rows = []
    for name, method in methods.items():
        row = [name]
        for count in solar.LABELS:
            both = [found.values(method, count, what) for what in ("balanced", "accuracy")]
            draws = f" ({len(both[0])})" * (len(both[0]) < len(study.SEEDS))
            said = " / ".join(f"{100 * statistics.mean(values):.1f}" for values in both if values)
            row.append(said and said + draws)
        seconds = found.values(method, 500, "seconds")
        rows.append([*row, f"{statistics.median(seconds):.1f}" if seconds else ""])
    counts = [f"{count:,}" for count in solar.LABELS]
    caption = (
        "Balanced accuracy / accuracy in %, by labelled cells (draws, where not five; 1,900 are all); seconds with 500"
    )
    return Table(["arm", *counts, "seconds"], rows, caption)


def mean(found: training.Study, method: str, labels: int, what: str = "balanced") -> float:
    """Of all draws, in percent; seconds as they are."""
    return statistics.mean(found.values(method, labels, what)) * (1 if what == "seconds" else 100)


def depths(probes: Sequence[Mapping], labels: int, title: str) -> Picture:
    """Probes after the stem, after each stage and before the last layer: the mean of all draws, and each draw."""
    fig, axis = figure(size=(8.6, 3.6), title=title)
    said = []
    for name, look, hue in zip(solar.BY_DEPTH, ("s-", "o--"), (BLUE, VERMILLION), strict=True):
        values = by_depth(probes, name, labels)
        means = [100 * statistics.mean(of) for of in values]
        axis.plot(range(len(values)), means, look, color=hue, label=name)
        for stages, of in enumerate(values):
            axis.plot([stages] * len(of), [100 * value for value in of], ".", color=hue, alpha=0.4, ms=5)
        said.append(f"{name} " + ", ".join(f"{value:.0f}" for value in means))
    axis.axhline(50, color=GREY, lw=1, ls=":")
    names = ["stem", *map(str, range(1, len(means) - 1)), "end"]
    axis.set(xlabel="features after stage", ylabel="balanced accuracy (%)")
    axis.set_xticks(range(len(means)), names)
    axis.legend(loc="lower left")
    return Picture(fig, f"{title}. Balanced accuracy in % with {labels} labels, by depth: {'; '.join(said)}.")


def by_depth(probes: Sequence[Mapping], network: str, labels: int, what: str = "balanced") -> list[list[float]]:
    """Balanced accuracies of all draws, depth by depth, at the strength that was chosen for each.

    what: "balanced" on the test cells, or "validation".
    """
    found = []
    for stages in range(1 + max(probe["stages"] for probe in probes)):
        where = [p for p in probes if (p["network"], p["stages"], p["labels"]) == (network, stages, labels)]
        best = solar.chosen([{"method": network} | p for p in where], network, labels, "strength")
        found.append([p[what] for p in where if p["strength"] == best])
    return found


def own_depth(probes: Sequence[Mapping], network: str, labels: int) -> tuple[list[int], list[float]]:
    """Draw by draw the depth whose probe is best on the validation cells, and what it reads of the test cells."""
    choosing, testing = (by_depth(probes, network, labels, what) for what in ("validation", "balanced"))
    best = [max(range(len(draw)), key=draw.__getitem__) for draw in zip(*choosing, strict=True)]
    return best, [testing[depth][number] for number, depth in enumerate(best)]


def against_the_end(probes: Sequence[Mapping], labels: Sequence[int]) -> tuple[Table, dict[int, tuple[float, float]]]:
    """Probes of ImageNet at their `own_depth` less those at the end: a table, and by labels the mean and its error."""
    rows, gains = [], {}
    for count in labels:
        depths, read = own_depth(probes, solar.BY_DEPTH[0], count)
        end = by_depth(probes, solar.BY_DEPTH[0], count)
        gain, error = gains[count] = study.paired(read, end[-1])
        names = ["stem", *map(str, range(1, len(end) - 1)), "end"]
        means = [f"{100 * statistics.mean(values):.1f}" for values in (read, end[-1])]
        star = " *" * (abs(gain) > study.CLEAR * error)
        chosen = ", ".join(names[depth] for depth in depths)
        rows.append([count, chosen, *means, f"{100 * gain:+.1f} ± {100 * error:.1f}{star}"])
    header = ["labels", "stages chosen, draw by draw", "there (%)", "at the end (%)", "points"]
    caption = f"Each draw at the depth that its validation cells choose; * more than {study.CLEAR} standard errors"
    return Table(header, rows, caption), gains


def cuts(found: training.Study, labels: Sequence[int]) -> Table:
    """Balanced accuracy by the number of frozen stages, where it was measured, and what is clearly not as with none."""
    names = {0: NOTHING} | {stages: name for name, stages in solar.FROZEN.items()}
    names = {stages: name for stages, name in names.items() if any(found.values(name, count) for count in labels)}
    rows = []
    for count in labels:
        row, none = [f"{count:,}"], found.values(NOTHING, count, "balanced")
        for name in names.values():
            values = found.values(name, count, "balanced")
            gain, error = study.paired(values, none) if values else (0.0, 0.0)
            row.append(f"{mean(found, name, count):.1f}{' *' * (abs(gain) > study.CLEAR * error)}" if values else "")
        rows.append(row)
    caption = f"Balanced accuracy in %, by frozen stages of seven; * more than {study.CLEAR} standard errors from none"
    return Table(["labels", *(str(stages) if stages else "none" for stages in names)], rows, caption)


def advice(faces: training.Study, found: training.Study, probes: Sequence[Mapping]) -> Table:
    """The four cases of CS231n's notes, each with what was measured for it, in percent."""

    def of_faces(labels: int) -> str:
        methods = {"probe": "linear probe", "tuned": "fine-tuned, one rate"}
        read = {name: faces.values(f"{method}, photographs", labels) for name, method in methods.items()}
        read["scratch"] = faces.values("from scratch", labels)
        return ", ".join(f"{name} {100 * statistics.mean(values):.0f}" for name, values in read.items())

    def of_cells(labels: int) -> str:
        _, earlier = own_depth(probes, solar.BY_DEPTH[0], labels)
        read = {"tuned": "fine-tuned, one rate", "scratch": "from scratch"}
        few = {name: len(found.values(method, labels)) < len(study.SEEDS) for name, method in read.items()}
        said = [f"{name} {mean(found, method, labels):.0f}{' (one draw)' * few[name]}" for name, method in read.items()]
        ends = f"probe {mean(found, PROBE, labels):.0f}, scaled {mean(found, SCALED, labels):.0f}"
        return ", ".join([ends, f"earlier {100 * statistics.mean(earlier):.0f}", *said])

    rows = [
        ["few, alike", "a probe at the end", "photographs → faces, 2 of each", of_faces(2)],
        ["few, unlike", "a probe of earlier features", "ImageNet → solar cells, 100", of_cells(100)],
        ["many, alike", "fine-tune", "photographs → faces, 40 of each", of_faces(40)],
        ["many, unlike", "fine-tune all of it", "ImageNet → solar cells, 1,900", of_cells(1900)],
    ]
    return Table(["labels, images", "advice", "measured on", "in %"], rows, "The advice, and what was measured")


def longer(found: training.Study, method: str, labels: int) -> Table:
    """The probe, a method, and the same with twice the steps, over the draws that all have."""
    names = {"linear probe": PROBE, method: method, "twice the steps": method + solar.LONGER}
    draws = min(len(found.values(name, labels)) for name in names.values())
    rows = []
    for name, of in names.items():
        both = [f"{100 * value:.1f}" for value in found.values(of, labels, "balanced")[:draws]]
        losses = [] if of == PROBE else found.values(of, labels, "loss")[:draws]
        rows.append([name, *both, f"{statistics.mean(losses):.2f}" if losses else ""])
    header = ["arm", *(f"draw {draw + 1}" for draw in range(draws)), "loss at the end"]
    return Table(header, rows, f"Balanced accuracy in % with {labels} labels")
