"""Lesson 12, NASNet: its exercises."""

import math

import torch
from torch import nn

from cnnlab import measure
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.lessons.nasnet.study import proxy, proxy_data, train_proxy
from cnnlab.models.nasnet import CellSpec
from cnnlab.training import CellSpace


@exercise(
    "12.count",
    points=2,
    stub='''
        def sequences(blocks, operations):
            """How many sequences of decisions describe a pair of a normal and a reduction cell, if each cell has so
            many blocks and there are so many operations? A block chooses two inputs and an operation for each; it
            may read h, p and all blocks before it. Count every order."""
            ...
    ''',
    solution="""
        def sequences(blocks, operations):
            cell = 1
            for b in range(blocks):
                cell *= ((b + 2) * operations) ** 2
            return cell**2
    """,
    hints=[
        "The first block has 2 maps to choose from, the second 3. In how many ways can one block be filled?",
        "The choices of all blocks multiply, and so do those of the two cells.",
    ],
    wrong={
        "one cell only": """
            def sequences(blocks, operations):
                cell = 1
                for b in range(blocks):
                    cell *= ((b + 2) * operations) ** 2
                return cell
        """,
        "blocks before it": """
            def sequences(blocks, operations):
                return (2 * operations) ** (4 * blocks)
        """,
        "add": """
            def sequences(blocks, operations):
                cell = 1
                for b in range(blocks):
                    cell *= ((b + 2) * operations) ** 2
                return 2 * cell
        """,
    },
)
def check_count(sequences) -> None:
    cases = [(1, 4), (2, 5), (1, 13), (5, 13), (3, 2)]
    got = [sequences(*case) for case in cases]

    def cell(blocks: int, operations: int) -> int:
        return math.prod(((b + 2) * operations) ** 2 for b in range(blocks))

    diagnoses = {
        "You counted one cell only; a network needs a normal and a reduction cell.": cell,
        "Each block may read the blocks before it too: the second has three maps to choose from.": (
            lambda b, o: (2 * o) ** (4 * b)
        ),
        "The two cells are chosen independently: their numbers multiply, they do not add.": (
            lambda b, o: 2 * cell(b, o)
        ),
    }
    for diagnosis, formula in diagnoses.items():
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    for (blocks, operations), value in zip(cases, got, strict=True):
        space = math.prod(CellSpace(blocks, ("identity",)).choices) * operations ** (4 * blocks)
        if value != space:
            raise Wrong(f"With {blocks} blocks and {operations} operations there are {space:,}; yours says {value:,}.")


@exercise(
    "12.reinforce",
    points=3,
    stub='''
        def push(logits, choice, reward, baseline):
            """How REINFORCE moves the logits of one decision, for a learning rate of 1: the gradient of
            (reward - baseline) * log p(choice), with p the softmax of the logits. All is a tensor but choice."""
            ...
    ''',
    solution="""
        def push(logits, choice, reward, baseline):
            chosen = torch.zeros_like(logits)
            chosen[choice] = 1
            return (reward - baseline) * (chosen - logits.softmax(0))
    """,
    hints=[
        "log p(choice) is logits[choice] minus the logarithm of the sum of all exponentials. Differentiate both parts.",
        "The first part gives 1 at the choice and 0 elsewhere, the second gives the softmax, at every logit.",
    ],
    wrong={
        "the baseline": """
            def push(logits, choice, reward, baseline):
                chosen = torch.zeros_like(logits)
                chosen[choice] = 1
                return reward * (chosen - logits.softmax(0))
        """,
        "downhill": """
            def push(logits, choice, reward, baseline):
                chosen = torch.zeros_like(logits)
                chosen[choice] = 1
                return (reward - baseline) * (logits.softmax(0) - chosen)
        """,
        "others": """
            def push(logits, choice, reward, baseline):
                chosen = torch.zeros_like(logits)
                chosen[choice] = 1
                return (reward - baseline) * chosen
        """,
        "of p and not of its logarithm": """
            def push(logits, choice, reward, baseline):
                p = logits.softmax(0)
                chosen = torch.zeros_like(logits)
                chosen[choice] = 1
                return (reward - baseline) * p[choice] * (chosen - p)
        """,
    },
)
def check_reinforce(push) -> None:
    generator = torch.Generator().manual_seed(0)
    for n, reward, baseline in ((3, 0.9, 0.5), (4, 0.2, 0.6), (2, 0.5, 0.0)):
        logits, choice = torch.randn(n, generator=generator), n - 2
        got = push(logits.clone(), choice, torch.tensor(reward), torch.tensor(baseline))
        if not isinstance(got, torch.Tensor) or got.shape != logits.shape:
            raise Wrong("The result should be a tensor with one number for each logit.")
        given = logits.clone().requires_grad_()
        (right,) = torch.autograd.grad((reward - baseline) * given.log_softmax(0)[choice], given)
        if torch.allclose(got, right, atol=1e-5):
            continue
        p, ahead = logits.softmax(0), reward - baseline
        one = nn.functional.one_hot(torch.tensor(choice), n)
        diagnoses = [
            (reward * (one - p), "You left out the baseline: then every choice is pushed up that was rewarded at all."),
            (-right, "This goes downhill: it makes likelier what was worse than the baseline."),
            (ahead * one, "The logits of the others move too: a probability can only rise if others fall."),
            (p[choice] * right, "This is the gradient of p and not of its logarithm: rare choices would hardly learn."),
        ]
        for value, diagnosis in diagnoses:
            if torch.allclose(got, value.float(), atol=1e-5):
                raise Wrong(diagnosis)
        raise Wrong(
            f"For logits {[round(v, 2) for v in logits.tolist()]}, choice {choice}, reward {reward} and baseline "
            f"{baseline} it should be {[round(v, 3) for v in right.tolist()]}."
        )


@exercise(
    "12.channels",
    points=2,
    stub='''
        def cell_channels(inputs, width):
            """Channels that a cell gives out. inputs: of each block the two maps that it reads, for example
            [("h", "p"), ("b1", "h")]; every block makes `width` channels. The cell concatenates the blocks that
            no other block reads."""
            ...
    ''',
    solution="""
        def cell_channels(inputs, width):
            read = {name for pair in inputs for name in pair}
            loose = [b for b in range(1, len(inputs) + 1) if f"b{b}" not in read]
            return width * len(loose)
    """,
    hints=[
        "Collect the names of all maps that some block reads. Which of b1, b2, ... are not among them?",
        "The blocks are called b1, b2, ... in the order of the list: f'b{number}'.",
    ],
    wrong={
        "all blocks": """
            def cell_channels(inputs, width):
                return width * len(inputs)
        """,
        "last block": """
            def cell_channels(inputs, width):
                return width
        """,
        "h and p": """
            def cell_channels(inputs, width):
                read = {name for pair in inputs for name in pair}
                names = ["h", "p"] + [f"b{b}" for b in range(1, len(inputs) + 1)]
                return width * len([name for name in names if name not in read])
        """,
        "that are read": """
            def cell_channels(inputs, width):
                read = {name for pair in inputs for name in pair}
                return width * len([name for name in read if name.startswith("b")])
        """,
    },
)
def check_channels(cell_channels) -> None:
    cases = [
        ([("h", "p")], 8),
        ([("h", "p"), ("h", "h"), ("b1", "p")], 16),
        ([("h", "h"), ("b1", "b1"), ("b1", "h"), ("b2", "b3")], 44),
        ([("p", "p"), ("p", "p"), ("p", "p")], 10),
        ([("p", "h"), ("b1", "h"), ("b2", "h"), ("p", "b1"), ("h", "h")], 7),
    ]
    got = [cell_channels([tuple(pair) for pair in inputs], width) for inputs, width in cases]

    def named(inputs: list[tuple[str, str]], names: list[str]) -> int:
        return sum(name not in {n for pair in inputs for n in pair} for name in names)

    def blocks(inputs: list[tuple[str, str]]) -> list[str]:
        return [f"b{b + 1}" for b in range(len(inputs))]

    diagnoses = {
        "You counted all blocks; a block that another one reads is not given out.": lambda i, w: w * len(i),
        "You counted the last block only; there may be several that nobody reads.": lambda i, w: w,
        "h and p are no blocks: that nobody reads them does not put them into the output.": (
            lambda i, w: w * named(i, ["h", "p", *blocks(i)])
        ),
        "You counted the blocks that are read; given out are the others.": (
            lambda i, w: w * (len(i) - named(i, blocks(i)))
        ),
    }
    for diagnosis, formula in diagnoses.items():
        if got == [formula(*case) for case in cases]:
            raise Wrong(diagnosis)
    for (inputs, width), value in zip(cases, got, strict=True):
        pairs = tuple(("identity", left, "identity", right) for left, right in inputs)
        true = width * len(CellSpec(pairs).output)
        if value != true:
            raise Wrong(f"With {inputs} and width {width} the cell gives {true} channels; yours says {value}.")


@exercise(
    "12.your-cells",
    points=3,
    stub="""
        my_cells = ...
    """,
    solution="""
        my_cells = (
            CellSpec((("sep3", "p", "max3", "h"),)),
            CellSpec((("sep3", "p", "max3", "h"), ("max3", "h", "sep5", "p"))),
        )
    """,
    hints=[
        "Look at the best rows and columns of the map. Start from such a pair and add a block to one of the cells.",
        "Blocks that no other block reads are concatenated: a second block in the reduction cell makes it wider.",
    ],
    wrong={
        "a pair": 'my_cells = CellSpec((("sep3", "h", "max3", "p"),))',
        "mult-adds": "my_cells = (NORMAL_A, REDUCTION_A)",
        "of the 441": 'my_cells = (CellSpec((("identity", "h", "identity", "h"),)),) * 2',
    },
)
def check_your_cells(my_cells) -> None:
    if not (isinstance(my_cells, (tuple, list)) and [type(cell) for cell in my_cells] == [CellSpec, CellSpec]):
        raise Wrong("my_cells should be a pair: the CellSpec of a normal cell and that of a reduction cell.")
    macs = measure.cost(proxy(*my_cells), 16).macs
    if macs > 800_000:
        raise Wrong(f"Your proxy network has {macs:,} mult-adds; the budget is 800,000.")
    rewards = [train_proxy(*my_cells, proxy_data(), seed) for seed in (0, 1)]
    if sum(rewards) / 2 < 0.55:
        raise Wrong(
            f"Trained twice, your cells get {rewards[0]:.1%} and {rewards[1]:.1%}: {sum(rewards) / 2:.1%} in the mean."
            " 55 % are asked for, which seven in a hundred of the 441 networks have."
        )
