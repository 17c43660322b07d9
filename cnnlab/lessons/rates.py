"""Learning rates that were tried on validation images: what a lesson shows of them, and whether the best is inside."""

from collections.abc import Iterable, Mapping

from cnnlab.table import Table


def inside(chosen: float, tried: Iterable[float]) -> bool:
    """Whether a rate lies between two others that were tried, so that no better one is missed beyond the edge.

    >>> inside(0.1, (0.02, 0.1, 0.5)), inside(0.5, (0.02, 0.1, 0.5))
    (True, False)
    """
    tried = list(tried)
    return min(tried) < chosen < max(tried)


def beyond(reached: Mapping[float, float]) -> list[float]:
    """The next learning rate to try: twice the highest or half the lowest while that is the best, and then none.

    >>> beyond({0.1: 0.9, 0.2: 0.93}), beyond({0.1: 0.9, 0.2: 0.93, 0.4: 0.8})
    ([0.4], [])
    """
    best = max(reached, key=reached.get)
    if inside(best, reached):
        return []
    return [2 * best if best == max(reached) else best / 2]


def table(
    tried: Mapping[str, Mapping[float, object]],
    chosen: Mapping[str, float],
    caption: str,
    *,
    first: str = "network",
    what: str = "accuracy",
) -> Table:
    """What each network reached at each of its rates, and the rate that was chosen for it.

    >>> table({"LeNet": {0.05: "86.6 %", 0.5: "25.1 %"}}, {"LeNet": 0.05}, "On validation images")
    On validation images
    network  rate: accuracy  rate: accuracy  chosen
    LeNet      0.05: 86.6 %     0.5: 25.1 %    0.05
    """
    columns = max(map(len, tried.values()))
    rows = []
    for name, reached in tried.items():
        cells = [f"{lr:g}: {value}" for lr, value in reached.items()]
        rows.append([name, *cells, *[""] * (columns - len(cells)), f"{chosen[name]:g}"])
    return Table([first, *[f"rate: {what}"] * columns, "chosen"], rows, caption)
