"""Searching for an architecture: three ways to spend the same number of trainings.

A controller learns which cells are good: Zoph, Le, "Neural Architecture Search with Reinforcement Learning", 2016
(arXiv 1611.01578), by the policy gradient of Williams, 1992. Random search is the control. Regularised evolution: Real,
Aggarwal, Huang, Le, "Regularized Evolution for Image Classifier Architecture Search", 2018 (arXiv 1802.01548).
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from cnnlab.models.nasnet import OPERATIONS, CellSpec

Decisions = tuple[int, ...]
Reward = Callable[[CellSpec, CellSpec], float]


@dataclass(frozen=True)
class CellSpace:
    """All pairs of a normal and a reduction cell of so many blocks, as sequences of decisions.

    A block takes four: the first input, its operation, the second input, its operation. Block number b may read the
    current map, the one before, and the b - 1 blocks before it.

    >>> CellSpace(blocks=1, operations=("sep3", "max3")).choices
    (2, 2, 2, 2, 2, 2, 2, 2)
    """

    blocks: int = 2
    operations: tuple[str, ...] = ("identity", "sep3", "sep5", "avg3", "max3")

    def __post_init__(self) -> None:
        unknown = [name for name in self.operations if name not in OPERATIONS]
        if self.blocks < 1 or not self.operations or unknown:
            raise ValueError(
                f"A space has at least one block and operations of {', '.join(OPERATIONS)}, not {self.blocks} blocks "
                f"and {self.operations}."
            )

    @property
    def choices(self) -> Decisions:
        """How many choices each decision has: the normal cell's, then the reduction cell's."""
        return 2 * tuple(n for b in range(self.blocks) for n in 2 * (b + 2, len(self.operations)))

    @property
    def size(self) -> int:
        """How many sequences there are. Some of them describe the same network."""
        return math.prod(self.choices)

    def cells(self, decisions: Decisions) -> tuple[CellSpec, CellSpec]:
        """The normal and the reduction cell of a sequence."""
        half = len(decisions) // 2
        return self._cell(decisions[:half]), self._cell(decisions[half:])

    def _cell(self, decisions: Decisions) -> CellSpec:
        maps = ["h", "p", *(f"b{b + 1}" for b in range(self.blocks))]
        pairs = [
            (self.operations[left], maps[left_input], self.operations[right], maps[right_input])
            for left_input, left, right_input, right in zip(*[iter(decisions)] * 4, strict=True)
        ]
        return CellSpec(tuple(pairs))

    def sample(self, generator: torch.Generator) -> Decisions:
        """A sequence at random, every one as likely as any other."""
        return tuple(int(torch.randint(n, (), generator=generator)) for n in self.choices)

    def mutate(self, decisions: Decisions, generator: torch.Generator) -> Decisions:
        """The same sequence with one decision changed."""
        open_ones = [place for place, n in enumerate(self.choices) if n > 1]
        place = open_ones[int(torch.randint(len(open_ones), (), generator=generator))]
        n = self.choices[place]
        other = (decisions[place] + 1 + int(torch.randint(n - 1, (), generator=generator))) % n
        return (*decisions[:place], other, *decisions[place + 1 :])


@dataclass
class Search:
    """What a search tried, in order, and what each trial was worth."""

    method: str
    space: CellSpace
    tried: list[Decisions] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    @property
    def best_so_far(self) -> list[float]:
        """The best reward of the first trial, of the first two, and so on."""
        return [max(self.rewards[: n + 1]) for n in range(len(self.rewards))]

    @property
    def best(self) -> tuple[CellSpec, CellSpec]:
        """The normal and the reduction cell with the highest reward."""
        return self.space.cells(self.tried[max(range(len(self.rewards)), key=self.rewards.__getitem__)])

    def __repr__(self) -> str:
        best = f", best reward {max(self.rewards):.3f}" if self.rewards else ""
        return f"Search by {self.method}: {len(self.rewards)} trials{best}"


class Controller(nn.Module):
    """A recurrent network that makes the decisions of a space one after the other, each knowing those before it."""

    def __init__(self, space: CellSpace, width: int = 32) -> None:
        super().__init__()
        self.choices = space.choices
        self.start = nn.Parameter(torch.zeros(1, width))
        self.lstm = nn.LSTMCell(width, width)
        self.embeddings = nn.ModuleList(nn.Embedding(n, width) for n in self.choices)
        self.heads = nn.ModuleList(nn.Linear(width, n) for n in self.choices)
        for head in self.heads:  # so that it starts as random search: every choice is as likely
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(
        self, decisions: Decisions | None = None, generator: torch.Generator | None = None
    ) -> tuple[Decisions, Tensor, Tensor]:
        """Draw decisions, or follow those given -> them, their log-probability and the entropy, both scalars."""
        x, state, made = self.start, None, []
        log_probability = entropy = torch.zeros(())
        for place, (head, embedding) in enumerate(zip(self.heads, self.embeddings, strict=True)):
            state = self.lstm(x, state)
            logs = head(state[0])[0].log_softmax(0)
            drawn = torch.multinomial(logs.detach().exp(), 1, generator=generator) if decisions is None else None
            choice = int(drawn) if decisions is None else decisions[place]
            log_probability = log_probability + logs[choice]
            entropy = entropy - (logs.exp() * logs).sum()
            made.append(choice)
            x = embedding.weight[choice][None]
        return tuple(made), log_probability, entropy


def policy_loss(log_probability: Tensor, reward: float, baseline: float, entropy: Tensor, weight: float) -> Tensor:
    """REINFORCE's loss of one trial: its gradient makes decisions likelier that were better than the baseline.

    weight: of the entropy, whose part keeps the controller from making up its mind too early.
    """
    return -(reward - baseline) * log_probability - weight * entropy


def reinforce(
    space: CellSpace,
    reward: Reward,
    trials: int,
    *,
    seed: int = 0,
    lr: float = 0.01,
    decay: float = 0.9,
    entropy: float = 1e-3,
    on_trial: Callable[[Search], None] | None = None,
) -> Search:
    """Search by a controller, one step of Adam after each trial. The baseline is a moving mean of rewards, by decay."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        controller = Controller(space)
    optimizer = torch.optim.Adam(controller.parameters(), lr)
    baseline = None

    def trial(worth: Callable[[Decisions], float]) -> None:
        nonlocal baseline
        decisions, log_probability, disorder = controller(generator=generator)
        value = worth(decisions)
        baseline = value if baseline is None else baseline
        loss = policy_loss(log_probability, value, baseline, disorder, entropy)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        baseline = decay * baseline + (1 - decay) * value

    return _run("controller", space, reward, trials, trial, on_trial)


def random_search(
    space: CellSpace,
    reward: Reward,
    trials: int,
    *,
    seed: int = 0,
    on_trial: Callable[[Search], None] | None = None,
) -> Search:
    """Search by drawing every trial independently."""
    generator = torch.Generator().manual_seed(seed)
    return _run("random search", space, reward, trials, lambda worth: worth(space.sample(generator)), on_trial)


def evolve(
    space: CellSpace,
    reward: Reward,
    trials: int,
    *,
    seed: int = 0,
    population: int = 20,
    contest: int = 5,
    on_trial: Callable[[Search], None] | None = None,
) -> Search:
    """Search by regularised evolution: the best of a few, drawn at random, has a child, and the oldest one dies."""
    generator = torch.Generator().manual_seed(seed)
    alive: deque[tuple[Decisions, float]] = deque(maxlen=population)

    def trial(worth: Callable[[Decisions], float]) -> None:
        if len(alive) < population:
            decisions = space.sample(generator)
        else:
            drawn = torch.randperm(population, generator=generator)[:contest].tolist()
            decisions = space.mutate(max((alive[i] for i in drawn), key=lambda one: one[1])[0], generator)
        alive.append((decisions, worth(decisions)))

    return _run("evolution", space, reward, trials, trial, on_trial)


def _run(
    method: str,
    space: CellSpace,
    reward: Reward,
    trials: int,
    trial: Callable[[Callable[[Decisions], float]], None],
    on_trial: Callable[[Search], None] | None,
) -> Search:
    """So many trials; the stop button returns those made. A sequence that comes again is not trained again."""
    search, known = Search(method, space), {}

    def worth(decisions: Decisions) -> float:
        if decisions not in known:
            known[decisions] = reward(*space.cells(decisions))
        search.tried.append(decisions)
        search.rewards.append(known[decisions])
        return known[decisions]

    try:
        for _ in range(trials):
            trial(worth)
            if on_trial:
                on_trial(search)
    except KeyboardInterrupt:
        pass
    return search
