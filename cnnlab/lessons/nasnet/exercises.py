"""Lesson 12, NASNet: its exercises."""

import torch

from cnnlab import measure
from cnnlab.lessons.compare import kind
from cnnlab.lessons.exercise import Wrong, edit, exercise, source
from cnnlab.lessons.nasnet import study
from cnnlab.lessons.nasnet.study import SPACE, proxy, proxy_data, train_proxy
from cnnlab.models.nasnet import CellSpec

exercise(
    "12.count",
    points=2,
    stub='''
        def sequences(blocks, operations):
            """How many sequences of decisions describe a pair of a normal and a reduction
            cell? Each cell has so many blocks. A block chooses two inputs and for each of
            them one of so many operations; it may read h, p and all blocks before it.
            Count every order."""
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
    cases=[(1, 2), (2, 5), (1, 13), (3, 2), (5, 13)],
    wrong=[
        edit(
            "cell**2",
            "cell",
            "This is the root of the number, as for one cell only, or for one half of each block: a network has "
            "two cells, and a block two halves.",
        ),
        edit("cell**2", "2 * cell", "The two cells are chosen independently: their numbers multiply, they do not add."),
        edit(
            "(b + 2)",
            "2",
            "Each block may read the blocks before it too: the second has three maps to choose from.",
        ),
        edit("b + 2", "b + 1", "The first block may read two maps, h and p, and you let it read one."),
        edit("b + 2", "b + 3", "The first block may read two maps, h and p: a block cannot read itself."),
        edit(
            "b + 2", "blocks + 1", "You let every block read as many maps as the last one: it may read those before it."
        ),
        edit("b + 2", "blocks + 2", "You let every block read all the blocks: it may read those before it."),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) ** 2 * operations",
            "A block has an operation for each of its two inputs: you counted one for both.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) * operations**2",
            "A block chooses two inputs: you counted the choice of one.",
        ),
        edit(
            "((b + 2) * operations) ** 2", "(b + 2) ** 2", "The operations are chosen too: they are not in your number."
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "operations ** 2",
            "The inputs are chosen too: only the operations are in your number.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "2 * (b + 2) * operations",
            "The two halves of a block are chosen independently: their numbers multiply, they do not add.",
        ),
        edit("*=", "+=", "The choices of one block can be combined with all of another: multiply, do not add."),
        edit(
            "cell = 1",
            "cell = 0",
            "*=",
            "+=",
            "The choices of one block can be combined with all of another: multiply, do not add.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) * (b + 1) * operations**2",
            "The two inputs of a block may be the same map: the second has as many to choose from as the first.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) * operations * ((b + 2) * operations + 1) // 2",
            "You counted the two halves of a block without their order; here every order counts.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) * (b + 1) // 2 * operations**2",
            "You counted pairs of different inputs without their order; every order counts, and both may be the "
            "same map.",
        ),
        edit(
            "((b + 2) * operations) ** 2",
            "(b + 2) * (b + 3) // 2 * operations**2",
            "You counted the two inputs without their order; here every order counts.",
        ),
        edit(
            "cell**2",
            "cell**2 // math.factorial(blocks) ** 2",
            "You divided by the orders of the blocks; here every order counts.",
        ),
        edit(
            "cell**2",
            "(cell**2 + 2**63) % 2**64 - 2**63",
            "{got:,} is what 64 bits keep of the number: tensors and arrays overflow, Python's own whole numbers "
            "do not.",
        ),
        edit("cell**2", "cell**2 // 2", "Normal and reduction cell are not interchangeable: nothing is to be halved."),
        edit(
            "cell**2",
            "cell * (cell + 1) // 2",
            "Normal and reduction cell are not interchangeable: the pair (A, B) is another than (B, A).",
        ),
        edit(
            "cell**2",
            "cell * (cell - 1)",
            "The two cells may be alike: the second has as many possibilities as the first.",
        ),
        edit(
            "range(blocks)",
            "range(1, blocks)",
            "You left out the first block, which chooses among h and p.",
        ),
    ],
)


def decisions() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    small = torch.tensor([0.5, -1.0, 2.0])
    return [(small, 0, torch.tensor(0.9), torch.tensor(0.5))] + [
        (torch.randn(n, generator=generator), choice, torch.tensor(reward), torch.tensor(baseline))
        for n, choice, reward, baseline in ((4, 2, 0.2, 0.6), (3, 1, 0.5, 0.0), (5, 4, 0.7, 0.4))
    ]


exercise(
    "12.reinforce",
    points=3,
    stub='''
        def push(logits, choice, reward, baseline):
            """How REINFORCE moves the logits of one decision, for a learning rate of 1:
            the gradient of (reward - baseline) * log p(choice), with p the softmax of the
            logits. choice is an int, everything else a tensor."""
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
    cases=decisions,
    wrong=[
        edit(
            "(reward - baseline)",
            "reward",
            "You left out the baseline: then every choice is pushed up that was rewarded at all.",
        ),
        edit(
            "chosen - logits.softmax(0)",
            "logits.softmax(0) - chosen",
            "This goes downhill: it makes likelier what was worse than the baseline.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "chosen",
            "The logits of the others move too: a probability can only rise if others fall.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "-logits.softmax(0)",
            "The part of the choice is missing: its own logit adds 1 to log p.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "chosen * (1 - logits.softmax(0))",
            "The logits of the others move too: a probability can only rise if others fall.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "logits.softmax(0)[choice] * (chosen - logits.softmax(0))",
            "This is the gradient of p and not of its logarithm: rare choices would hardly learn.",
        ),
        edit(
            "chosen - logits.softmax(0)", "chosen - logits", "You subtracted the logits themselves, not their softmax."
        ),
        edit(
            "chosen - logits.softmax(0)",
            "chosen - logits.log_softmax(0)",
            "You subtracted the logarithms of the probabilities; it is the probabilities themselves.",
        ),
        edit(
            "chosen - logits.softmax(0)",
            "chosen - logits.sigmoid()",
            "p is the softmax of the logits: you used the sigmoid of each.",
        ),
        edit(
            "chosen - logits.softmax(0)",
            "chosen - logits.exp()",
            "The exponentials are not divided by their sum: p is the softmax of the logits.",
        ),
        edit(
            "chosen - logits.softmax(0)",
            "chosen - 1 / len(logits)",
            "You subtracted 1 / n, as if all choices were equally likely; it is the softmax of the logits.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "logits.log_softmax(0)[choice]",
            "This is the number whose gradient is asked for: it has one entry for each logit.",
        ),
        edit(
            "(chosen - logits.softmax(0))",
            "logits.softmax(0)",
            "This pushes all logits in one direction: the choice is not used.",
        ),
        edit(
            "(reward - baseline) * (chosen",
            "reward - baseline * (chosen",
            "Brackets: the difference of reward and baseline multiplies all.",
        ),
        edit("(reward - baseline) * ", "", "Reward and baseline are missing: they say how far and in which direction."),
        edit("reward - baseline", "reward + baseline", "The baseline is subtracted from the reward, not added."),
        edit(
            "return ",
            "return logits + ",
            "These are the logits after the step; asked for is the step itself.",
        ),
        edit(
            "(reward - baseline)",
            "(reward - baseline).abs()",
            "You lost the sign: a choice that was worse than usual is pushed down.",
        ),
        edit(
            "(reward - baseline)",
            "(reward - baseline).clamp(min=0)",
            "A choice that was worse than usual is pushed down: you leave it where it is.",
        ),
    ],
)


CELLS = [  # cells with 1, 1, 2, 1, 3, 3 and 8 loose blocks
    ([("h", "p")], 8),
    ([("h", "p"), ("b1", "p")], 5),
    ([("h", "p"), ("h", "h"), ("b1", "p")], 16),
    ([("h", "h"), ("b1", "b1"), ("b1", "h"), ("b2", "b3")], 44),
    ([("p", "p"), ("p", "p"), ("p", "p")], 10),
    ([("p", "h"), ("b1", "h"), ("b2", "h"), ("p", "b1"), ("h", "h")], 7),
    ([("h", "p")] * 9 + [("b2", "h"), ("b10", "b3")], 3),  # b10 is read and b1 is not
]


exercise(
    "12.channels",
    points=2,
    stub='''
        def cell_channels(inputs, width):
            """Channels that a cell gives out. inputs: of each block the two maps that it
            reads, for example [("h", "p"), ("b1", "h")]. Every block makes `width`
            channels, and the cell concatenates the blocks that no other block reads."""
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
    cases=CELLS,
    wrong=[
        edit("len(loose)", "len(inputs)", "You counted all blocks; a block that another one reads is not given out."),
        edit(
            "width * len(loose)",
            "width",
            "Yours is the width of one block; there may be several that nobody reads, and they are concatenated, "
            "not added.",
        ),
        edit("width * len(loose)", "len(loose)", "This is the number of blocks; each of them makes `width` channels."),
        source(
            """
            def cell_channels(inputs, width):
                read = {name for pair in inputs for name in pair}
                names = ["h", "p"] + [f"b{b}" for b in range(1, len(inputs) + 1)]
                return width * len([name for name in names if name not in read])
            """,
            "h and p are no blocks: that nobody reads them does not put them into the output.",
        ),
        edit("not in read", "in read", "You counted the blocks that are read; given out are the others."),
        edit(
            "{name for pair in inputs for name in pair}",
            "{left for left, right in inputs}",
            "A block reads two maps: you looked at the first of each pair only.",
        ),
        edit(
            "{name for pair in inputs for name in pair}",
            "{right for left, right in inputs}",
            "A block reads two maps: you looked at the second of each pair only.",
        ),
        edit(
            "range(1, len(inputs) + 1)",
            "range(1, len(inputs))",
            "You left out the last block: nobody can read it, so it is always given out.",
        ),
        edit(
            "range(1, len(inputs) + 1)",
            "range(len(inputs) + 1)",
            "This is one block too many: there is no b0, the blocks are b1, b2, ...",
        ),
        edit(
            "width * len(loose)",
            "width * (len(inputs) - sum(name.startswith('b') for pair in inputs for name in pair))",
            "A block that is read twice was subtracted twice: count each once.",
        ),
        edit(
            "width * len(loose)",
            "width * (len(inputs) - len(read))",
            "You subtracted h and p with the blocks that are read; they are no blocks.",
        ),
        edit("len(loose)", "(len(loose) + 2)", "h and p are not given out, only the blocks that no other reads."),
        edit(
            "{name for pair in inputs for name in pair}",
            "str(inputs)",
            "You look for a name inside a text, and there b1 is found in b10: compare whole names.",
        ),
    ],
)


def ratios() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    first = (torch.tensor([0.5, 1.0, 1.5]), torch.tensor(0.2), 0.2)
    return [first, (first[0], torch.tensor(-0.2), 0.2)] + [
        (2 * torch.rand(n, generator=generator), torch.randn(n, generator=generator), epsilon)
        for n, epsilon in ((8, 0.1), (12, 0.3), (20, 0.2))
    ]


exercise(
    "12.clip",
    points=2,
    stub='''
        def clipped(ratio, advantage, epsilon):
            """PPO's objective (not the loss): the smaller of ratio * advantage and of the same
            product with the ratio held between 1 - epsilon and 1 + epsilon.
            ratio and advantage are tensors, epsilon is a float."""
            ...
    ''',
    solution="""
        def clipped(ratio, advantage, epsilon):
            held = ratio.clamp(1 - epsilon, 1 + epsilon)
            return torch.minimum(ratio * advantage, held * advantage)
    """,
    hints=[
        "A tensor has a method that holds it between two numbers: clamp.",
        "Two products, element by element, and of each pair the smaller: torch.minimum.",
    ],
    cases=ratios,
    wrong=[
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "held * advantage",
            "This is the held product alone. Take the smaller of the two: where a good decision has become less "
            "likely, or a bad one more likely, there has to be a gradient.",
        ),
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "ratio * advantage",
            "Nothing is held here: this is the objective without the clip.",
        ),
        edit(
            "torch.minimum",
            "torch.maximum",
            "You took the larger of the two: the objective should never promise more than the held product does.",
        ),
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "torch.minimum(ratio, held) * advantage",
            "You took the smaller ratio first. With a negative advantage the smaller product is that of the larger "
            "ratio: multiply, then compare.",
        ),
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "-torch.minimum(ratio * advantage, held * advantage)",
            "This is the loss; asked for is the objective, which is to become large.",
        ),
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "torch.minimum(ratio * advantage, held * advantage).mean()",
            "You averaged; asked for is one number for each ratio.",
        ),
        edit(
            "torch.minimum(ratio * advantage, held * advantage)",
            "torch.minimum(ratio * advantage, held)",
            "What is held is the ratio: hold it between 1 - epsilon and 1 + epsilon, then multiply it by the advantage,"
            " as the ratio that is not held.",
        ),
        edit(
            "ratio.clamp(1 - epsilon, 1 + epsilon)",
            "ratio.clamp(-epsilon, epsilon)",
            "You held the ratio around 0. A policy that has not changed has the ratio 1.",
        ),
        edit(
            "ratio.clamp(1 - epsilon, 1 + epsilon)",
            "ratio.clamp(max=1 + epsilon)",
            "You held the ratio from above only; with a negative advantage it is the lower end that matters.",
        ),
        edit(
            "ratio.clamp(1 - epsilon, 1 + epsilon)",
            "ratio.clamp(min=1 - epsilon)",
            "You held the ratio from below only; with a positive advantage it is the upper end that matters.",
        ),
        edit(
            "ratio.clamp(1 - epsilon, 1 + epsilon)",
            "ratio.clamp(1 / (1 + epsilon), 1 + epsilon)",
            "The lower end is 1 - epsilon, not 1 / (1 + epsilon).",
        ),
        source(
            """
            def clipped(ratio, advantage, epsilon):
                return (ratio * advantage).clamp(1 - epsilon, 1 + epsilon)
            """,
            "You held the product between the two ends; it is the ratio that is held.",
        ),
    ],
)


def check_my_two(my_two: object) -> None:
    try:
        places = [[int(number_of) for number_of in network] for network in my_two]
        whole = all(float(n) == int(n) for network in my_two for n in network)
    except (TypeError, ValueError):
        raise Wrong(
            "my_two should be two networks, each by the numbers of its normal and its reduction cell, as in "
            f"((3, 7), (12, 0)); yours is {kind(my_two)}."
        ) from None
    if [len(network) for network in places] != [2, 2] or not whole:
        raise Wrong("my_two should be two networks, each by two whole numbers: its normal and its reduction cell.")
    if not all(0 <= n < len(study.CELLS) for network in places for n in network):
        raise Wrong(f"The cells have the numbers 0 to {len(study.CELLS) - 1}.")
    first, second = ([100 * rewards[row, column].item() for rewards in study.table()] for row, column in places)
    ahead, again = (one - other for one, other in zip(first, second, strict=True))
    said = f"Their rewards are {first[0]:.1f} and {second[0]:.1f} %"
    if ahead < 10:
        raise Wrong(f"{said}: the first should be at least 10 points ahead, and it is {ahead:+.1f}.")
    if again > -10:
        raise Wrong(
            f"{said}. From another seed they reach {first[1]:.1f} and {second[1]:.1f} %: the first should now be at "
            f"least 10 points behind, and it is {again:+.1f}."
        )


exercise(
    "12.ten-points",
    points=2,
    stub="""
        my_two = ...  # ((normal cell, reduction cell), (normal cell, reduction cell))
    """,
    solution="""
        rewards, seed_1 = torch.tensor(course.record("cell_search").results["tables"]).flatten(1)
        ahead = rewards[:, None] - rewards
        behind = seed_1 - seed_1[:, None]
        first, second = divmod(torch.minimum(ahead, behind).argmax().item(), len(rewards))
        my_two = (divmod(first, 21), divmod(second, 21))
    """,
    hints=[
        "Let the machine look: for all pairs of networks, how far is one ahead in the first table, and how far behind "
        "in the second?",
        "table[:, None] - table of a flattened table holds all differences; divmod(place, 21) is the row and column.",
    ],
    check=check_my_two,
    wrong=[
        source("my_two = ((0, 0), (0, 0))", "at least 10 points ahead"),
        source("my_two = (9, 12)", "should be two networks"),
        source("my_two = ((9, 12), (30, 2))", "0 to 20"),
        source("my_two = ((9, 12, 3), (3, 2, 1))", "two whole numbers"),
        source(
            """
            rewards = torch.tensor(course.record("cell_search").results["tables"][0]).flatten()
            my_two = (divmod(rewards.argmax().item(), 21), divmod(rewards.argmin().item(), 21))
            """,
            "From another seed",
        ),
    ],
)


def in_the_table(cell: CellSpec) -> bool:
    """Whether it is one of the 21 cells of the record."""
    operations = {name for pair in cell.pairs for name in pair[::2]}
    alone = len(cell.pairs) == 1 and operations <= set(SPACE.operations) and cell.output == ("b1",)
    return alone


def check_my_cells(my_cells: object) -> None:
    if isinstance(my_cells, CellSpec):
        raise Wrong("my_cells is one cell, and should be a pair: a normal cell and a reduction cell.")
    if not (isinstance(my_cells, (tuple, list)) and [type(cell) for cell in my_cells] == [CellSpec, CellSpec]):
        raise Wrong(
            "my_cells should be a pair: the CellSpec of a normal cell and that of a reduction cell; yours is "
            f"{kind(my_cells)}."
        )
    if all(map(in_the_table, my_cells)):
        raise Wrong(
            "This pair is one of the 441, whose rewards you can look up. Design one that is not: give a cell a second "
            "block, or an operation that the table does not have."
        )
    macs = measure.cost(proxy(*my_cells), 16).macs
    if macs > 800_000:
        raise Wrong(f"Your proxy network has {macs:,} mult-adds; the budget is 800,000.")
    rewards = [train_proxy(*my_cells, proxy_data(), seed) for seed in (0, 1)]
    if sum(rewards) / 2 < 0.55:
        raise Wrong(
            f"Trained twice, your cells get {rewards[0]:.1%} and {rewards[1]:.1%}: {sum(rewards) / 2:.1%} in the mean."
            " 55% are asked for, which seven in a hundred of the 441 networks have."
        )


exercise(
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
    check=check_my_cells,
    wrong=[
        source('my_cells = CellSpec((("sep3", "h", "max3", "p"),))', "a pair"),
        source("my_cells = (NORMAL_A, REDUCTION_A)", "mult-adds"),
        source('my_cells = (CellSpec((("sep3", "p", "max3", "h"),)),) * 2', "one of the 441"),
        source('my_cells = (CellSpec((("identity", "h", "avg3", "h"),)),) * 2', "55% are asked for"),
    ],
)
