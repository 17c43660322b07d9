"""Lesson 17, which network would you choose: its exercises."""

import math
import random

import torch
from torch import Tensor

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.training import Run, evaluate

TARGET = 0.98  # of fresh street digits, within a minute of training


@exercise(
    "17.front",
    points=2,
    stub='''
        def front(networks):
            """networks: {name: (cost, accuracy)}. The set of the names that somebody could reasonably choose: no other
            network is at least as good in both (no dearer, no worse) and better in one."""
            ...
    ''',
    solution="""
        def front(networks):
            chosen = set()
            for name, (cost, accuracy) in networks.items():
                better = [
                    other
                    for other, (price, worth) in networks.items()
                    if price <= cost and worth >= accuracy and (price, worth) != (cost, accuracy)
                ]
                if not better:
                    chosen.add(name)
            return chosen
    """,
    hints=[
        "For each network, collect those that are no dearer and no worse. Which of them may be left out of the count?",
        "Two networks with the same cost and the same accuracy do not beat each other.",
    ],
    wrong={
        "only the best": """
            def front(networks):
                best = max(accuracy for _, accuracy in networks.values())
                return {name for name, (_, accuracy) in networks.items() if accuracy == best}
        """,
        "the other way": """
            def front(networks):
                return {
                    name
                    for name, (cost, accuracy) in networks.items()
                    if not any(
                        price >= cost and worth <= accuracy and (price, worth) != (cost, accuracy)
                        for price, worth in networks.values()
                    )
                }
        """,
        "beat themselves": """
            def front(networks):
                return {
                    name
                    for name, (cost, accuracy) in networks.items()
                    if not any(price <= cost and worth >= accuracy for price, worth in networks.values())
                }
        """,
        "cheaper and better": """
            def front(networks):
                return {
                    name
                    for name, (cost, accuracy) in networks.items()
                    if not any(price < cost and worth > accuracy for price, worth in networks.values())
                }
        """,
        "ratio": """
            def front(networks):
                ratios = {name: accuracy / cost for name, (cost, accuracy) in networks.items()}
                return {name for name in ratios if ratios[name] == max(ratios.values())}
        """,
    },
)
def check_front(front) -> None:
    chance = random.Random(0)
    cases = [
        {"a": (1, 0.5), "b": (2, 0.7), "c": (3, 0.6), "d": (4, 0.9)},
        {"a": (1, 0.5), "b": (1, 0.6), "c": (2, 0.6)},
        {"a": (2, 0.8), "b": (2, 0.8), "c": (5, 0.7)},
        {f"n{i}": (chance.randint(1, 30), chance.randint(40, 99) / 100) for i in range(40)},
    ]
    got = [front(dict(case)) for case in cases]
    if not all(isinstance(value, (set, frozenset, list, tuple, dict)) for value in got):
        raise Wrong("The result should be a set of names.")
    got = [set(value) for value in got]

    def chosen(case: dict, beats) -> set:
        return {n for n, own in case.items() if not any(beats(other, own) for other in case.values())}

    rules = {
        "": lambda o, n: o[0] <= n[0] and o[1] >= n[1] and o != n,
        "Your networks beat themselves: each is no dearer and no worse than itself.": (
            lambda o, n: o[0] <= n[0] and o[1] >= n[1]
        ),
        "This is the other way around: you kept those that are dearer and worse.": (
            lambda o, n: o[0] >= n[0] and o[1] <= n[1] and o != n
        ),
        "A network need not be cheaper and better to beat another: better at the same cost is enough.": (
            lambda o, n: o[0] < n[0] and o[1] > n[1]
        ),
    }
    rule = rules.pop("")
    right = [chosen(case, rule) for case in cases]
    if got == right:
        return
    for diagnosis, beats in rules.items():
        if got == [chosen(case, beats) for case in cases]:
            raise Wrong(diagnosis)
    tops = [{n for n, v in case.items() if v[1] == max(a for _, a in case.values())} for case in cases]
    if got == tops:
        raise Wrong("These are only the best ones. Who has little to spend chooses a cheaper one.")
    ratios = [{n: v[1] / v[0] for n, v in case.items()} for case in cases]
    if got == [{n for n, v in case.items() if v == max(case.values())} for case in ratios]:
        raise Wrong("The best ratio is one way to choose among these. Asked for are all that nothing else beats.")
    index = next(i for i, (one, other) in enumerate(zip(got, right, strict=True)) if one != other)
    raise Wrong(f"For {cases[index]} it should be {sorted(right[index])}; yours says {sorted(map(str, got[index]))}.")


@exercise(
    "17.luck",
    points=2,
    stub='''
        def images_needed(first, second, errors=2):
            """How many test images it takes until the accuracies of two networks, such as 0.95 and 0.96, lie so many
            standard errors of their difference apart, if each is tested on as many images of its own. Round up."""
            ...
    ''',
    solution="""
        def images_needed(first, second, errors=2):
            variance = first * (1 - first) + second * (1 - second)
            return math.ceil(errors**2 * variance / (first - second) ** 2)
    """,
    hints=[
        "One image is right or wrong: variance p (1 - p). The accuracy on n of them has the variance p (1 - p) / n.",
        "The variances of two independent accuracies add. Set errors times the root of that equal to their distance.",
    ],
    wrong={
        "one of the two": """
            def images_needed(first, second, errors=2):
                return math.ceil(errors**2 * first * (1 - first) / (first - second) ** 2)
        """,
        "square": """
            def images_needed(first, second, errors=2):
                variance = first * (1 - first) + second * (1 - second)
                return math.ceil(errors * variance**0.5 / abs(first - second))
        """,
        "errors is not squared": """
            def images_needed(first, second, errors=2):
                variance = first * (1 - first) + second * (1 - second)
                return math.ceil(errors * variance / (first - second) ** 2)
        """,
        "round up": """
            def images_needed(first, second, errors=2):
                variance = first * (1 - first) + second * (1 - second)
                return int(errors**2 * variance / (first - second) ** 2)
        """,
    },
)
def check_luck(images_needed) -> None:
    cases = [(0.95, 0.96, 2), (0.5, 0.7, 2), (0.99, 0.9, 3), (0.905, 0.9, 1)]
    got = [images_needed(*case) for case in cases]

    def both(p: float, q: float) -> float:
        return p * (1 - p) + q * (1 - q)

    rules = {
        "": lambda p, q, e: math.ceil(e**2 * both(p, q) / (p - q) ** 2),
        "You used the variance of one of the two accuracies; both are uncertain, and their variances add.": (
            lambda p, q, e: math.ceil(e**2 * p * (1 - p) / (p - q) ** 2)
        ),
        "This is the root of the number: solve for n, and everything is a square.": (
            lambda p, q, e: math.ceil(e * both(p, q) ** 0.5 / abs(p - q))
        ),
        "errors is not squared: n stands under a root.": lambda p, q, e: math.ceil(e * both(p, q) / (p - q) ** 2),
        "Nearly: round up. One image less is not enough.": lambda p, q, e: int(e**2 * both(p, q) / (p - q) ** 2),
    }
    for diagnosis, rule in rules.items():
        if got == [rule(*case) for case in cases]:
            if diagnosis:
                raise Wrong(diagnosis)
            return
    right = rules[""](*cases[0])
    raise Wrong(f"To tell 0.95 from 0.96 by two standard errors takes {right:,} images; yours says {got[0]}.")


@exercise(
    "17.whiten",
    points=3,
    stub='''
        def whitening(patches):
            """patches: (N, d), each row a patch. A matrix W, (d, d), such that the numbers of patches @ W.T are
            uncorrelated and of mean square 1 (nothing is subtracted)."""
            ...
    ''',
    solution="""
        def whitening(patches):
            values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
            return (vectors / values.sqrt()).T
    """,
    hints=[
        "torch.linalg.eigh of the second moments, patches.T @ patches / N, gives the directions in which patches are"
        " uncorrelated, as columns, and their mean squares.",
        "Divide each direction by the root of its mean square. W has the directions as rows.",
    ],
    wrong={
        "mean square 1": """
            def whitening(patches):
                return torch.linalg.eigh(patches.T @ patches / len(patches))[1].T
        """,
        "the root": """
            def whitening(patches):
                values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
                return (vectors / values).T
        """,
        "columns": """
            def whitening(patches):
                values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
                return vectors / values.sqrt()
        """,
        "number of patches": """
            def whitening(patches):
                values, vectors = torch.linalg.eigh(patches.T @ patches)
                return (vectors / values.sqrt()).T
        """,
        "still correlated": """
            def whitening(patches):
                return torch.diag(1 / patches.square().mean(0).sqrt())
        """,
    },
)
def check_whiten(whitening) -> None:
    generator = torch.Generator().manual_seed(0)
    for n, d in ((500, 3), (2000, 12)):
        patches = torch.randn(n, d, generator=generator) @ torch.randn(d, d, generator=generator)
        got = whitening(patches.clone())
        if not isinstance(got, Tensor) or got.shape != (d, d):
            raise Wrong(f"W should be a tensor of shape ({d}, {d}) for patches of {d} numbers.")

        def moments(w: Tensor, patches: Tensor = patches) -> Tensor:
            out = patches @ w.T
            return out.T @ out / len(out)

        def white(w: Tensor, d: int = d) -> bool:
            return torch.allclose(moments(w), torch.eye(d), atol=0.02)

        if white(got):
            continue
        if white(got.T):
            raise Wrong("eigh gives the directions as columns; W should have them as rows.")
        if white(got * n**0.5):
            raise Wrong(f"The mean square is 1 / {n}: divide the second moments by the number of patches.")
        found = moments(got)
        spread = found.diag()
        apart = (found - spread.diag()).abs().max() / spread.abs().max()
        if apart > 0.02:
            raise Wrong("The outputs are still correlated: scaling each number by itself does not turn anything.")
        if torch.allclose(spread * torch.linalg.eigvalsh(patches.T @ patches / n), torch.ones(d), rtol=0.05):
            raise Wrong("You divided by the mean square; divide by the root of it.")
        raise Wrong(
            f"Uncorrelated, but not of mean square 1: they are {[round(v, 2) for v in spread.tolist()[:4]]} ..."
        )


@exercise(
    "17.beat-the-table",
    points=4,
    stub="""
        my_run = ...
    """,
    solution="""
        my_run = training.speed_run(
            data.load("street_digits", train=12_000, test=10), epochs=3, widths=(32, 64, 64), batch_size=128, flip=False
        )
    """,
    hints=[
        "Images that are drawn by a program are free: take more of them than 4,000, and fewer epochs.",
        "The speed run in a narrow form is a good place to begin. What does a wider one give in the same time?",
    ],
    wrong={
        "not the run": 'my_run = "speed"',
        "seconds of training": """
            my_run = training.speed_run(
                data.load("street_digits", train=500, test=100), epochs=1, widths=(8, 8, 8), flip=False, progress=False
            )
            my_run.history[0] = __import__("dataclasses").replace(my_run.history[0], seconds=61.0)
        """,
        "fresh street digits": """
            my_run = training.speed_run(
                data.load("street_digits", train=500, test=100), epochs=1, widths=(8, 8, 8), flip=False, progress=False
            )
        """,
    },
)
def check_beat_the_table(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong("my_run should be the run that training.fit or training.speed_run gives back, and is not the run.")
    if my_run.seconds > 60:
        raise Wrong(f"It took {my_run.seconds:.0f} seconds of training; 60 are allowed.")
    fresh = data.load("street_digits", train=1000, test=2000, seed=17)
    accuracy = evaluate(my_run.model, fresh.test).accuracy
    if accuracy < TARGET:
        raise Wrong(f"{accuracy:.1%} of 2,000 fresh street digits; {TARGET:.0%} are asked for.")
