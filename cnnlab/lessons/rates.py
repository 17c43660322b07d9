"""Learning rates that were tried on validation images: what a lesson shows of them, and whether the best is inside."""

from collections.abc import Callable, Iterable, Mapping

from cnnlab.table import Table


def inside(chosen: float, tried: Iterable[float]) -> bool:
    """Whether a rate lies between two others that were tried, so that no better one is missed beyond the edge.

    >>> inside(0.1, (0.02, 0.1, 0.5)), inside(0.5, (0.02, 0.1, 0.5))
    (True, False)
    """
    tried = list(tried)
    return min(tried) < chosen < max(tried)


def beyond(reached: Mapping[float, float]) -> list[float]:
    """The next learning rate to try: twice the highest or half the lowest while no other is better, and then none.

    >>> beyond({0.1: 0.9, 0.2: 0.93}), beyond({0.1: 0.9, 0.2: 0.93, 0.4: 0.8})
    ([0.4], [])
    >>> beyond({0.05: 0.8, 0.1: 0.9, 0.2: 0.9})  # as good as the best, and at the edge
    [0.4]
    """
    top = max(reached.values())
    if reached[max(reached)] == top:
        return [2 * max(reached)]
    return [min(reached) / 2] if reached[min(reached)] == top else []


def climbed(
    first: Iterable[float], reach: Callable[[float], float], most: int | None = None, least: float = 0.0
) -> dict[float, float]:
    """What `reach` gives at each of the first learning rates, and at others `beyond` them; by rate.

    most: so many rates in all, where the best may stay at the edge for ever: None is no end. least: where none gives
        more, as where none learns, there is no way to climb, and no other is tried.

    >>> climbed((0.1, 0.2), {0.1: 0.9, 0.2: 0.93, 0.4: 0.8}.get)
    {0.1: 0.9, 0.2: 0.93, 0.4: 0.8}
    >>> climbed((0.1, 0.2), lambda lr: 0.5, most=3)
    {0.1: 0.5, 0.2: 0.5, 0.4: 0.5}
    >>> climbed((0.1, 0.2), {0.1: 0.1, 0.2: 0.11}.get, least=0.15)
    {0.1: 0.1, 0.2: 0.11}
    """
    reached, wanted = {}, [*first]
    while wanted and (most is None or len(reached) < most):
        lr = wanted.pop(0)
        reached[lr] = reach(lr)
        if not wanted and max(reached.values()) > least:
            wanted = beyond(reached)
    return reached


def table(
    tried: Mapping[str, Mapping[float, object]], chosen: Mapping[str, float], caption: str, *, first: str = "network"
) -> Table:
    """What each network reached at each learning rate that it was tried at, and the one that was chosen for it.

    caption: what was reached, by learning rate; first: what the rows are.

    >>> tried = {"LeNet": {0.05: "86.6 %", 0.5: "25.1 %"}, "MLP": {0.5: "71.0 %"}}
    >>> table(tried, {"LeNet": 0.05, "MLP": 0.5}, "Accuracy on test images, by learning rate")
    Accuracy on test images, by learning rate
    network    0.05     0.5  chosen
    LeNet    86.6 %  25.1 %    0.05
    MLP              71.0 %     0.5
    """
    rates = sorted({lr for reached in tried.values() for lr in reached})
    rows = [[name, *[reached.get(lr, "") for lr in rates], f"{chosen[name]:g}"] for name, reached in tried.items()]
    return Table([first, *[f"{lr:g}" for lr in rates], "chosen"], rows, caption)
