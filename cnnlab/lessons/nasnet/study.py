"""Lesson 12, NASNet: what the lesson and its records measure, and the lesson's own tables and pictures."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement, product
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnlab import data, measure, models, training, view
from cnnlab.data import Dataset
from cnnlab.lessons.records import record
from cnnlab.models.nasnet import Cell, CellSpec
from cnnlab.table import Table
from cnnlab.training import CellSpace

PRECISION = "fp32"  # of every training here: bf16 is slower at this size

# One block a cell, three operations: small enough to train every network of it.
SPACE = CellSpace(blocks=1, operations=("identity", "sep3", "max3"))


# A cell is an unordered pair of these, since the two results are added.
TERMS = tuple(product(SPACE.operations, ("h", "p")))


CELLS = tuple(CellSpec(((*left, *right),)) for left, right in combinations_with_replacement(TERMS, 2))


def number(cell: CellSpec) -> int:
    """Which of the 21 different cells of the space this is, in whatever order its two inputs are written."""
    ((left, left_input, right, right_input),) = cell.pairs
    first, second = sorted([(left, left_input), (right, right_input)], key=TERMS.index)
    return CELLS.index(CellSpec(((*first, *second),)))


TWO_BLOCKS = CellSpace(blocks=2, operations=SPACE.operations)


def name_of(normal: CellSpec, reduction: CellSpec) -> str:
    """The decisions that make these cells, as digits, in one order for all that are the same network.

    The two results of a block are added, so their order does not count; nor that of two blocks that both are given out.

    >>> name_of(*TWO_BLOCKS.cells((1, 2, 0, 1, 0, 0, 0, 0) + (1, 2, 0, 1, 2, 0, 0, 0)))
    '0000011201120020'
    """
    return "".join(f"{source}{operation}" for cell in (normal, reduction) for source, operation in _in_order(cell))


def _in_order(cell: CellSpec) -> list[tuple[int, int]]:
    maps = ("h", "p", "b1", "b2")
    blocks = [
        sorted((maps.index(source), SPACE.operations.index(operation)) for operation, source in (pair[:2], pair[2:]))
        for pair in cell.pairs
    ]
    if len(cell.output) == len(blocks):  # none reads another
        blocks.sort()
    return [half for block in blocks for half in block]


def cells_named(name: str) -> tuple[CellSpec, CellSpec]:
    """The normal and the reduction cell of `name_of`, of one block or of two."""
    return (SPACE if len(name) == 8 else TWO_BLOCKS).cells(tuple(map(int, name)))


SEARCHES = (0, 1, 2, 3)  # for cells of two blocks: each a seed of the search, and of the trainings that reward it
KEPT, RETRAINED = 5, (10, 11)  # networks of each search that are trained again, and the seeds: no search used them
CHECKED, REPEATED = 8, 20  # networks of each random search that are rewarded from this seed too


def chosen(results: Mapping[str, Mapping]) -> dict[str, list[str]]:
    """By search and seed, the networks of its highest rewards, and two controls.

    "drawn" are the first networks of a random search, "drawn wide" its first whose cells hand on both of their blocks.
    """
    groups = {}
    for search, tried in results["tried"].items():
        seed = search.rpartition(" ")[2]
        worth = {name: results["rewards"][f"{name}, seed {seed}"] for name in tried}
        groups[search] = sorted(worth, key=worth.__getitem__, reverse=True)[:KEPT]
        if search.startswith("random search"):
            groups[f"drawn, seed {seed}"] = list(worth)[:KEPT]
            groups[f"drawn wide, seed {seed}"] = [name for name in worth if wide(name)][:KEPT]
    return groups


def wide(name: str) -> bool:
    """Whether both cells hand on both of their blocks, since neither reads the other."""
    return all(cell.output == ("b1", "b2") for cell in cells_named(name))


def one_block() -> list[str]:
    """The best pairs of cells of one block, by the mean of their two trainings in the record of all."""
    order = table().mean(0).flatten().argsort(descending=True, stable=True)[:KEPT]
    return [name_of(*(CELLS[place] for place in divmod(at, len(CELLS)))) for at in order.tolist()]


@cache
def proxy_data(others: int = 0) -> Dataset:
    """What every candidate of the record learned: 2,000 street digits of 16x16 pixels, and 1,000 more to judge it.

    others: how many more there are, as `validation`, that no search has seen.
    """
    return data.load("street_digits", train=2000, validation=others, test=1000).resized(16)


def proxy(normal: CellSpec, reduction: CellSpec) -> nn.Module:
    """A candidate: three normal and two reduction cells, 8 channels at first, for the images of `proxy_data`."""
    options = {"width": 8, "depth": 1, "stem_width": 8, "small_images": True, "dropout": 0.0}
    return models.get_model("nasnet_a_mobile_tiny", normal=normal, reduction=reduction, **options)


def trained_proxy(normal: CellSpec, reduction: CellSpec, dataset: Dataset, seed: int = 0) -> training.Run:
    """A candidate's network after six short epochs."""
    torch.manual_seed(seed)
    settings = {"epochs": 6, "lr": 0.3, "batch_size": 128, "precision": PRECISION, "progress": False}
    return training.fit(proxy(normal, reduction), dataset, seed=seed, **settings)


def train_proxy(normal: CellSpec, reduction: CellSpec, dataset: Dataset, seed: int = 0) -> float:
    """What a pair of cells is worth to a search: the accuracy of its network on the images that judge it."""
    return trained_proxy(normal, reduction, dataset, seed).history[-1].test_accuracy


@cache
def short_data() -> Dataset:
    """Half the images of `proxy_data`, smaller, and 1,000 more to reward with, as `validation`; few to test."""
    return data.load("street_digits", train=1000, validation=1000, test=10).resized(12)


def train_short(normal: CellSpec, reduction: CellSpec, dataset: Dataset, seed: int = 0) -> float:
    """What a pair of cells of two blocks is worth to a search, for less than `train_proxy`. dataset: `short_data`."""
    torch.manual_seed(seed)
    model = proxy(normal, reduction)
    settings = {"epochs": 6, "optimizer": "adamw", "lr": 0.02, "batch_size": 64, "precision": PRECISION}
    training.fit(model, dataset, seed=seed, progress=False, **settings)
    return round(training.evaluate(model, dataset.validation, precision=PRECISION).accuracy, 4)


@cache
def unseen_data() -> Dataset:
    """What the candidates of `proxy_data` learned, and a test of 2,000 digits that rewarded no search of the lesson."""
    dataset = data.load("street_digits", train=2000, validation=10, test=3000).resized(16)
    return replace(dataset, test=dataset.test.take(slice(1000, None)))  # the first 1,000 are those of `proxy_data`


def transferred(normal: CellSpec, reduction: CellSpec, macs: float) -> nn.Module:
    """A deeper network of these cells for images of 32x32, two normal cells a group, as wide as the mult-adds allow."""

    def build(width: int) -> nn.Module:
        options = {"width": width, "depth": 2, "stem_width": 16, "small_images": True, "dropout": 0.0}
        return models.get_model("nasnet_a_mobile_tiny", normal=normal, reduction=reduction, **options)

    def work(width: int) -> int:
        with torch.device("meta"):
            return measure.cost(build(width), 32).macs

    widths = range(4, 80, 2)
    fitting = bisect_right(widths, macs, key=work)  # so many of them: mult-adds grow with the width
    return build(widths[max(fitting - 1, 0)])


# ---- The recorded table, looked up ----


class Searches(NamedTuple):
    """Many searches at once, a row for each. tried: (searches, trials, decisions); rewards: (searches, trials)."""

    tried: Tensor
    rewards: Tensor


def table() -> Tensor:
    """Accuracies of all 441 networks, float32: training seed x normal cell x reduction cell."""
    return torch.tensor(record("cell_search").results["tables"])


@cache
def places() -> Tensor:
    """For each sequence of decisions the place of its network in the flattened table: int64, shaped as the choices."""
    found = torch.empty(SPACE.choices, dtype=torch.int64)
    for decisions in product(*map(range, SPACE.choices)):
        row, column = map(number, SPACE.cells(decisions))
        found[decisions] = row * len(CELLS) + column
    return found


def networks_of(decisions: Tensor) -> Tensor:
    """Places in the flattened table: (..., 8 k) decisions of k pairs of cells -> (..., k)."""
    pairs = decisions.unflatten(-1, (-1, len(SPACE.choices)))
    return places()[pairs.unbind(-1)]


def look_up(rewards: Tensor) -> Callable[[Tensor], Tensor]:
    """A reward that trains nothing: of (searches, 8 k) decisions the mean of k pairs, each search in its own table.

    rewards: (searches, 441).
    """
    return lambda decisions: rewards.gather(1, networks_of(decisions)).mean(1)


def of_cells(rewards: Tensor) -> training.search.Reward:
    """The same for the package's searches, which ask by a normal and a reduction cell. rewards: 441."""
    return lambda normal, reduction: rewards[number(normal) * len(CELLS) + number(reduction)].item()


def resampled(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Tables that could as well have been recorded: of each network one of its two trainings, and the other ones.

    Both are (count, 441): the rewards that a search sees, and what the same networks are worth from another seed.
    """
    first, second = table().flatten(1)
    heads = torch.rand(count, len(first), generator=torch.Generator().manual_seed(seed)) < 0.5
    return torch.where(heads, first, second), torch.where(heads, second, first)


def top(searches: Searches) -> Tensor:
    """The highest reward of each search; percent."""
    return 100 * searches.rewards.max(1).values


def best_networks(searches: Searches) -> Tensor:
    """What each search comes back with, as places in the flattened table: (searches, pairs)."""
    first = searches.rewards.argmax(1)
    return networks_of(searches.tried[torch.arange(len(first)), first])


def best(searches: Searches, rewards: Tensor) -> Tensor:
    """What the network with each search's highest reward is worth by (searches, 441) rewards; percent."""
    return 100 * rewards.gather(1, best_networks(searches)).mean(1)


def last(searches: Searches, count: int = 20) -> Tensor:
    """The mean reward of each search's last proposals; percent."""
    return 100 * searches.rewards[:, -count:].mean(1)


def different(searches: Searches) -> float:
    """How many different networks a search has tried, on average."""
    rows = networks_of(searches.tried)
    return sum(len(row.unique(dim=0)) for row in rows) / len(rows)


GRID = (0.025, 0.05, 0.1, 0.2, 0.4)  # learning rates of a controller without an LSTM
Learner = Callable[..., Searches]  # of a reward, choices, searches, trials and a learning rate
Method = Callable[..., tuple[list, list]]  # of a reward, choices, trials and a generator: one search


def at_rates(
    search: Learner, measured: Callable[[Searches], Tensor] = top, pairs: int = 1, **options: object
) -> dict[float, Tensor]:
    """What 200 searches of a hundred trials reach at each rate of `GRID`, in tables that only choose rates."""
    choosing, _ = resampled(200, seed=1)
    reward, choices = look_up(choosing), pairs * SPACE.choices
    return {lr: measured(search(reward, choices, len(choosing), 100, lr, **options)) for lr in GRID}


@cache
def best_rate(search: Learner, pairs: int) -> float:
    """The rate of `GRID` at which its searches find the best candidates of so many pairs."""
    means = {lr: values.mean().item() for lr, values in at_rates(search, pairs=pairs).items()}
    return max(means, key=means.__getitem__)


def in_each_table(search: Method, rewards: Tensor, pairs: int = 1) -> Searches:
    """One search of a hundred trials in each of (tables, 441) rewards, for a method that makes one at a time."""

    def one(seed: int) -> tuple[list, list]:
        reward = look_up(rewards[seed : seed + 1])
        generator = torch.Generator().manual_seed(seed)
        return search(lambda net: reward(torch.tensor([net])).item(), pairs * SPACE.choices, 100, generator)

    tried, values = zip(*map(one, range(len(rewards))), strict=True)
    return Searches(torch.tensor(tried), torch.tensor(values))


PAIRS = (1, 2, 3)  # of cells in a candidate: three sizes of the space


def above_chance(
    random_search: Method, methods: Mapping[str, Learner | Method], rewards: Tensor, again: Tensor
) -> tuple[dict[str, list[Tensor]], dict[str, list[Tensor]]]:
    """How far each method's best is above random search's in the same table, for candidates of one to three pairs.

    The first by the rewards, the second by other trainings of the same networks. "evolution" makes one search at a
    time; the others make many, each at the learning rate that is best in other tables of that size.
    """
    found, kept = ({name: [] for name in methods} for _ in range(2))
    for pairs in PAIRS:
        chance = in_each_table(random_search, rewards, pairs)
        for name, method in methods.items():
            if name == "evolution":
                searches = in_each_table(method, rewards, pairs)
            else:
                lr = best_rate(method, pairs)
                searches = method(look_up(rewards), pairs * SPACE.choices, len(rewards), 100, lr)
            found[name].append(top(searches) - top(chance))
            kept[name].append(best(searches, again) - best(chance, again))
    return found, kept


def spread(values: Tensor) -> str:
    """Mean and standard error over tables.

    >>> spread(torch.tensor([1.0, 3.0]))
    '2.0 ± 1.0'
    """
    return f"{values.mean():.1f} ± {values.std() / len(values) ** 0.5:.1f}"


# ---- The recorded searches for cells of two blocks ----


@cache
def two_block_results() -> dict:
    """What the record holds: rewards, what each search tried, and the trainings that test it."""
    return record("two_block_search").results


def recorded_reward(seed: int) -> Callable[[Sequence[int]], float]:
    """What a search of this seed was told of a network, by its decisions; one that is not recorded is trained."""
    known = two_block_results()["rewards"]

    def reward(net: Sequence[int]) -> float:
        cells = TWO_BLOCKS.cells(tuple(net))
        key = f"{name_of(*cells)}, seed {seed}"
        return known[key] if key in known else train_short(*cells, short_data(), seed)

    return reward


def told(names: Sequence[str], seed: int) -> list[float]:
    """The recorded rewards of these networks from this seed; percent."""
    known = two_block_results()["rewards"]
    return [100 * known[f"{name}, seed {seed}"] for name in names]


def mean_reward(searches: Sequence[Sequence[str]]) -> Tensor:
    """The mean recorded reward of some networks of each search; percent."""
    return torch.tensor([sum(told(names, seed)) / len(names) for seed, names in zip(SEARCHES, searches, strict=True)])


def five_of_each() -> dict[str, list[list[str]]]:
    """The networks that were trained again: of each search those of the highest rewards, by method.

    Beside them `chosen`'s controls, and as "one block" the best pairs of that space.
    """
    found = chosen(two_block_results())
    order = ("drawn", "drawn wide", "random search", "evolution", "REINFORCE", "PPO")
    groups = {group: [found[f"{group}, seed {seed}"] for seed in SEARCHES] for group in order}
    return groups | {"one block": [one_block()]}


def trained_again() -> dict[str, Tensor]:
    """What `five_of_each` are worth from two other seeds: (searches, networks, seeds) by method; percent."""
    known = two_block_results()["tested"]

    def worth(names: Sequence[str]) -> list[list[float]]:
        return [[100 * known[f"{name}, seed {seed}"] for seed in RETRAINED] for name in names]

    return {group: torch.tensor([worth(names) for names in searches]) for group, searches in five_of_each().items()}


def of_searches(worth: Tensor) -> Tensor:
    """The mean of each search's networks; where there is one search, of each network. worth: `trained_again`'s."""
    return worth.mean((1, 2)) if len(worth) > 1 else worth[0].mean(1)


def difference(values: Tensor, others: Tensor) -> tuple[float, float]:
    """How far the mean of some searches is above that of others, and its standard error.

    >>> difference(torch.tensor([4.0, 6.0]), torch.tensor([1.0, 1.0]))
    (4.0, 1.0)
    """
    error = (values.var() / len(values) + others.var() / len(others)).sqrt()
    return (values.mean() - others.mean()).item(), error.item()


@cache
def widths(name: str) -> tuple[int, ...]:
    """How many of its blocks each cell hands on."""
    return tuple(len(cell.output) for cell in cells_named(name))


def ahead_of_drawn(search: str, of_its_width: bool = False) -> Tensor:
    """How far the mean reward of each search's last 20 proposals is above that of the networks drawn; in points.

    Both are rewarded from the same seed. of_its_width: each proposal is compared with those drawn whose two cells are
    as wide.
    """
    tried, ahead = two_block_results()["tried"], []
    for seed in SEARCHES:
        drawn, late = tried[f"random search, seed {seed}"], tried[f"{search}, seed {seed}"][-20:]
        usual = [
            torch.tensor(told([other for other in drawn if not of_its_width or widths(other) == width], seed)).mean()
            for width in map(widths, late)
        ]
        ahead.append(torch.tensor(told(late, seed)).mean() - torch.stack(usual).mean())
    return torch.stack(ahead)


def rank_correlation(values: Sequence[float], others: Sequence[float]) -> float:
    """Spearman's; values that are alike share their rank.

    >>> round(rank_correlation([0.1, 0.2, 0.2, 0.4], [1, 2, 3, 4]), 3)
    0.949
    """
    pairs = torch.tensor([values, others], dtype=torch.float64)
    above = (pairs[:, :, None] > pairs[:, None]).sum(2) - (pairs[:, :, None] < pairs[:, None]).sum(2)
    return torch.corrcoef(above.double())[0, 1].item()


def repeated() -> tuple[float, float]:
    """Rank correlations of the rewards: with those from another seed, and with what the networks are worth in the test.

    The first of the networks that random search drew first, eight in each search; the second of those of them that
    were trained again, by the mean of two trainings.
    """
    tried = two_block_results()["tried"]
    drawn = {seed: tried[f"random search, seed {seed}"][:CHECKED] for seed in SEARCHES}
    first = [value for seed, names in drawn.items() for value in told(names, seed)]
    second = [value for names in drawn.values() for value in told(names, REPEATED)]
    short = [value for seed, names in drawn.items() for value in told(names[:KEPT], seed)]
    return rank_correlation(first, second), rank_correlation(short, trained_again()["drawn"].mean(2).flatten().tolist())


# ---- What the lesson shows ----


def explore_cells() -> view.Explorer:
    """A normal cell by its four decisions, with what it costs and what it was worth; the reduction cell is given."""
    rewards, reduction = table()[0], CellSpec((("sep3", "h", "sep3", "p"),))

    def build(first: str = "sep3", reads: str = "h", second: str = "identity", reads_too: str = "p") -> view.Picture:
        spec = CellSpec(((first, reads, second, reads_too),))
        cost = measure.cost(proxy(spec, reduction), 16)
        worth = rewards[number(spec), number(reduction)].item()
        place = int((rewards > worth).sum()) + 1
        title = f"{worth:.0%}: number {place} of {rewards.numel()}, with {cost.macs:,} mult-adds"
        return view.cell({"your normal cell": spec, "the reduction cell": reduction}, title=title)

    options = list(SPACE.operations)
    return view.explore(build, first=options, reads=["h", "p"], second=options, reads_too=["h", "p"])


def explore_clip(clipped: Callable[[Tensor, Tensor, float], Tensor]) -> view.Explorer:
    """PPO's objective of one trial, over the ratio of the new probability to the old one."""

    def objective(advantage: float = 0.2, epsilon: float = 0.2) -> view.Picture:
        ratio = torch.linspace(0, 2, 101)
        values = torch.as_tensor(clipped(ratio, torch.tensor(advantage), epsilon))
        flat = f"above {1 + epsilon:g}" if advantage > 0 else f"below {1 - epsilon:g}"
        picture = view.lines(
            {"without the clip": (ratio * advantage).tolist(), "clipped": values.tolist()},
            at=ratio.tolist(),
            x="new probability / old probability",
            y="objective",
            title=f"An advantage of {advantage:+g}: no gradient {flat}",
        )
        picture.figure.axes[0].set_ylim(-0.5, 0.5)
        return picture

    return view.explore(objective, advantage=[-0.2, -0.1, 0.1, 0.2], epsilon=[0.1, 0.2, 0.4])


def live(found: training.Search) -> Table:
    """Each network that a search has trained, beside the record's training of the same cells."""
    rewards, rows = table()[0], []
    for decisions, reward in zip(found.tried, found.rewards, strict=True):
        cells = SPACE.cells(decisions)
        words = ["{} of {} + {} of {}".format(*cell.pairs[0]) for cell in cells]
        rows.append([*words, f"{reward:.1%}", f"{rewards[number(cells[0]), number(cells[1])]:.1%}"])
    return Table(["normal cell", "reduction cell", "reward", "in the record"], rows)


def recorded() -> Table:
    """The nine searches of the record, each of which trained its networks."""
    rows = []
    for name, search in record("cell_search").results["searches"].items():
        rewards = search["rewards"]
        means = [f"{sum(part) / 20:.1%}" for part in (rewards[:20], rewards[-20:])]
        rows.append([name.replace("controller", "REINFORCE, LSTM"), *means, f"{max(rewards):.1%}"])
    header = ["search", "mean of the first 20", "mean of the last 20", "best of 100"]
    return Table(header, rows, "Nine searches that really trained their networks")


def curves(results: Mapping[str, Searches]) -> view.Picture:
    """What is proposed by trial, and the best until then: means over the searches, and half of them as a band."""
    ends = {name: last(searches).mean().item() for name, searches in results.items()}
    tops = {name: 100 * searches.rewards.max(1).values.mean().item() for name, searches in results.items()}
    said = [", ".join(f"{name} {value:.0f} %" for name, value in part.items()) for part in (ends, tops)]
    fig, (left, right) = view.figure(
        1, 2, size=(10, 3.9), title=f"Last 20 proposals: {said[0]}.\nBest of all: {said[1]}"
    )
    for index, (name, searches) in enumerate(results.items()):
        trials = range(1, 1 + searches.rewards.shape[1])
        look = {"color": f"C{index}", "marker": "osDv"[index], "markevery": 10}
        left.plot(trials, 100 * searches.rewards.mean(0), label=name, **look)
        top = 100 * searches.rewards.cummax(1).values
        low, high = top.quantile(torch.tensor([0.25, 0.75]), 0)
        right.plot(trials, top.mean(0), label=name, **look)
        right.fill_between(trials, low, high, color=f"C{index}", alpha=0.15, lw=0)
    left.set(xlabel="trial", ylabel=f"reward of this trial (%), mean of {len(searches.rewards)}")
    right.set(xlabel="trial", ylabel="best until then (%)", ylim=(40, 75))
    right.legend(loc="lower right")
    alt = f"Mean reward of the last 20 proposals: {said[0]}. Best reward of {trials[-1]} trials: {said[1]}."
    return view.Picture(fig, alt)


def above(differences: Mapping[str, Tensor]) -> view.Picture:
    """How far each method's best is above random search's in the same table."""
    means = ", ".join(f"{name} {values.mean():+.1f}" for name, values in differences.items())
    results = {name: values.tolist() for name, values in differences.items()}
    label = "best network, points above random search's in the same table"
    return view.dots(results, label=label, title=f"Points above chance, on average: {means}")


def summary(results: Mapping[str, Searches], rewards: Tensor, again: Tensor, caption: str = "") -> Table:
    """Of each method what it proposes at the end, the best it found, and what that is worth from another seed."""
    rows = []
    for name, searches in results.items():
        parts = (last(searches), best(searches, rewards), best(searches, again))
        rows.append([name, *map(spread, parts), f"{different(searches):.0f}"])
    header = ["search", "last 20 proposals (%)", "best (%)", "the same, another seed (%)", "different networks"]
    return Table(header, rows, caption or f"Means over {len(rewards)} resampled tables ± standard error")


def gains(found: Mapping[str, Sequence[Tensor]]) -> view.Picture:
    """`above_chance` by the size of the space."""
    sizes = [len(CELLS) ** (2 * pairs) for pairs in PAIRS]
    ends = {name: (values[0].mean().item(), values[-1].mean().item()) for name, values in found.items()}
    said = "; ".join(f"{name} {first:+.1f} and {large:+.1f}" for name, (first, large) in ends.items())
    title = f"Points above chance, in the smallest and in the largest space:\n{said}"
    fig, axis = view.figure(size=(8, 3.8), title=title)
    for index, (name, values) in enumerate(found.items()):
        means = [each.mean().item() for each in values]
        errors = [2 * (each.std() / len(each) ** 0.5).item() for each in values]
        look = {"color": f"C{index}", "marker": "osD"[index], "capsize": 3}
        axis.errorbar([size * 1.12**index for size in sizes], means, errors, label=name, **look)
    axis.axhline(0, color=view.GREY, lw=1)
    axis.set(xlabel="candidates in the space", ylabel="best candidate, points above\nrandom search", xscale="log")
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.minorticks_off()
    axis.legend(loc="upper left")
    return view.Picture(fig, f"{title}. Bars are two standard errors over resampled tables.")


def by_rate(reached: Mapping[str, Mapping[float, Tensor]], y: str) -> view.Picture:
    """What each method reaches, by its learning rate: the mean over tables."""
    means = {name: {lr: values.mean().item() for lr, values in rates.items()} for name, rates in reached.items()}
    chosen = {name: max(rates, key=rates.__getitem__) for name, rates in means.items()}
    said = ", ".join(f"{name} {means[name][lr]:.1f} % at {lr:g}" for name, lr in chosen.items())
    at = list(next(iter(means.values())))
    picture = view.lines(
        {name: list(rates.values()) for name, rates in means.items()},
        at=at,
        x="learning rate",
        y=y,
        title=f"At its best learning rate:\n{said}",
    )
    axis = picture.figure.axes[0]
    view.log_axis(axis, "x")
    axis.set_xticks(at, [f"{lr:g}" for lr in at])
    return picture


def space_map() -> view.Picture:
    """Every network of the space: a row for each normal cell, a column for each reduction cell."""
    rewards = table()[0]
    short = ["{}·{} + {}·{}".format(*(part.replace("identity", "id") for part in cell.pairs[0])) for cell in CELLS]
    rows, columns = (rewards.mean(way).argsort(descending=True) for way in (1, 0))
    between = variance()
    title = f"Rows hold {between[0]:.0%} of the variance, columns {between[1]:.0%}: the normal cell matters more"
    fig, axis = view.figure(size=(8.2, 7), title=title)
    shown = axis.imshow(100 * rewards[rows][:, columns], cmap="viridis")
    axis.grid(False)
    axis.set_xticks(range(len(CELLS)), [short[i] for i in columns], rotation=90, size=7)
    axis.set_yticks(range(len(CELLS)), [short[i] for i in rows], size=7)
    axis.set(xlabel="reduction cell", ylabel="normal cell")
    fig.colorbar(shown, label="accuracy of the proxy network (%)")
    ends = " to ".join(f"{short[i]} {rewards.mean(1)[i]:.0%}" for i in (rows[0], rows[-1]))
    alt = (
        f"{title}. {rewards.numel()} accuracies from {rewards.min():.0%} to {rewards.max():.0%}. Means of rows: {ends}."
    )
    return view.Picture(fig, alt)


def variance() -> tuple[float, float, float]:
    """Of the first table's variance: what lies between rows, between columns, and what another seed does not repeat."""
    first, second = table()
    whole = first.var(correction=0)
    rows, columns = (first.mean(way).var(correction=0) / whole for way in (1, 0))
    repeated = torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]
    return rows.item(), columns.item(), 1 - repeated.item()


def luck(count: int = 20) -> view.Picture:
    """Every network trained twice; the best by the first training are marked."""
    first, second = 100 * table().flatten(1)
    top = first.argsort(descending=True)[:count]
    title = f"The {count} best fall from {first[top].mean():.1f} to {second[top].mean():.1f} % when trained again"
    fig, axis = view.figure(size=(6.2, 5), title=title)
    axis.plot([0, 80], [0, 80], color=view.GREY, ls="--", lw=1, marker="")
    axis.plot(first, second, "o", ms=4, mfc="none", color=view.BLUE, label="441 networks")
    axis.plot(first[top], second[top], "s", ms=6, color=view.VERMILLION, label=f"the {count} highest rewards")
    axis.set(xlabel="reward in the search (%)", ylabel="from another seed (%)", xlim=(5, 80), ylim=(5, 80))
    axis.legend(loc="upper left")
    return view.Picture(fig, f"{title}; the other {len(first) - count} lie around the diagonal.")


def retrained() -> dict[str, Tensor]:
    """The best of the first table in the order of their rewards: these, and what they reach from two other seeds; %."""
    runs = record("best_retrained").results
    cells = [tuple(map(int, name.split(", "))) for name in runs]
    first, second = (torch.stack([rewards[cell] for cell in cells]) for rewards in table())
    third, others = (torch.tensor([run[images] for run in runs.values()]) for images in ("same", "others"))
    found = {"reward": first, "second seed": second, "third seed": third, "third seed, other images": others}
    return {name: 100 * values for name, values in found.items()}


def retrained_dots(found: Mapping[str, Tensor]) -> view.Picture:
    """`retrained` as rows of circles."""
    means = ", ".join(f"{name} {values.mean():.1f} %" for name, values in list(found.items())[:3])
    title = f"The {len(found['reward'])} best: {means}"
    results = {name: values.tolist() for name, values in found.items()}
    return view.dots(results, label="accuracy (%)", title=title)


def two_blocks() -> Table:
    """The recorded searches for cells of two blocks: what they propose, and their five best, trained again."""
    results, rows = two_block_results(), []
    for group, worth in trained_again().items():
        networks, late, rewards = five_of_each()[group], "", ""
        if len(networks) > 1:
            rewards = spread(mean_reward(networks))
        if f"{group}, seed 0" in results["tried"]:
            late = spread(mean_reward([results["tried"][f"{group}, seed {seed}"][-20:] for seed in SEARCHES]))
        costs = [results["macs"][name] for names in networks for name in names]
        rows.append([group, late, rewards, spread(of_searches(worth)), f"{sum(costs) / len(costs) / 1e6:.2f}"])
    header = ["five of", "last 20 proposals (%)", "their rewards (%)", "trained again (%)", "million mult-adds"]
    caption = "Cells of two blocks: means over four searches ± standard error; of one block, over five networks"
    return Table(header, rows, caption)


def two_block_dots() -> view.Picture:
    """What each search's five best are worth when trained again, beside networks drawn at random."""
    found = {group: of_searches(worth) for group, worth in trained_again().items()}
    chance = found["random search"].mean()
    ahead = ", ".join(f"{name} {found[name].mean() - chance:+.1f}" for name in ("evolution", "REINFORCE", "PPO"))
    label = "trained again: accuracy on 2,000 digits that no search has seen (%)"
    title = f"Five of each search, trained again:\n{ahead} points above random search"
    return view.dots({group: values.tolist() for group, values in found.items()}, label=label, title=title)


@cache
def table_macs() -> Tensor:
    """Mult-adds of all 441 proxy networks, in the order of the flattened table.

    Every cell of one block gives out as many channels, so a pair costs what its two cells cost, one by one.
    """
    fixed = CELLS[0]
    with torch.device("meta"):
        normal = [measure.cost(proxy(cell, fixed), 16).macs for cell in CELLS]
        reduction = [measure.cost(proxy(fixed, cell), 16).macs for cell in CELLS]
    return (torch.tensor(normal)[:, None] + torch.tensor(reduction) - normal[0]).flatten()


def cheap_and_good(found: Mapping[str, Tensor], target: float) -> view.Picture:
    """All networks by cost and accuracy, and those that searches for different rewards came back with.

    A marker is the larger, the more searches found its network. found: places in the flattened table, by reward.
    """
    millions, worth = table_macs() / 1e6, 100 * table().mean(0).flatten()
    costs = ", ".join(f"{name}: {millions[places].mean():.2f}" for name, places in found.items())
    title = f"Million mult-adds of what is found, on average\n{costs}"
    fig, axis = view.figure(size=(8.4, 4.2), title=title)
    axis.plot(millions, worth, "o", ms=4, mfc="none", color=view.GREY, label="441 networks, mean of two trainings")
    for index, (name, places) in enumerate(found.items()):
        kinds, counts = places.unique(return_counts=True)
        axis.scatter(
            millions[kinds] * 1.012 ** (index - 1),
            worth[kinds],
            s=12 + 8 * counts,
            marker="sD^"[index],
            color=f"C{index}",
            alpha=0.75,
            zorder=3,
        )
        axis.scatter([], [], s=40, marker="sD^"[index], color=f"C{index}", label=f"found with {name}")
    axis.axvline(target / 1e6, color=view.INK, ls="--", lw=1)
    axis.annotate("target", (target / 1e6, 1), (4, -10), ("data", "axes fraction"), "offset points", size=9)
    axis.set(xlabel="million mult-adds of the proxy network", ylabel="accuracy (%)")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=8)
    return view.Picture(
        fig, f"{title}. Accuracies: " + ", ".join(f"{n} {worth[p].mean():.1f} %" for n, p in found.items())
    )


def transfer() -> dict[str, list[float]]:
    """Test accuracies of the larger networks by their name and mult-adds; percent, a value for each seed."""
    return {
        f"{name}, {entry['macs'] / 1e6:.1f}M": [100 * run["test"] for run in entry["runs"]]
        for name, entry in record("cell_transfer").results.items()
    }


def transfer_dots(reached: Mapping[str, Sequence[float]]) -> view.Picture:
    """`transfer` as rows of circles."""
    means = ", ".join(f"{name.split(',')[0]} {sum(values) / len(values):.1f} %" for name, values in reached.items())
    title = f"Larger networks after 378 steps:\n{means}"
    return view.dots(reached, label="accuracy on 2,000 test images (%)", title=title)


def sizes() -> Table:
    """The networks of NASNet-A's two cells."""
    rows = []
    for name, size in (("nasnet_a_mobile", 224), ("nasnet_a_large", 331), ("nasnet_a_mobile_tiny", 32)):
        with torch.device("meta"):
            model = models.get_model(name)
            cost = measure.cost(model, size)
        cells = sum(isinstance(module, Cell) for module in model.modules())
        rows.append([name, f"{size} × {size}", cells, cost.params, f"{cost.macs / 1e6:,.1f}"])
    return Table(["network", "image", "cells", "parameters", "million mult-adds"], rows)
