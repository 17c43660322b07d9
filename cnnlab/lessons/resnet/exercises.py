"""Lesson 06, ResNet: its exercises."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import data
from cnnlab.lessons.exercise import Wrong, exercise
from cnnlab.models.resnet import BasicBlock
from cnnlab.training import Run, evaluate


@exercise(
    "06.block-parameters",
    points=2,
    stub='''
        def block_parameters(in_channels, channels, shortcut):
            """Parameters of a basic block: two 3x3 convolutions, each with batch norm, and its shortcut, "A" or "B"."""
            ...
    ''',
    solution="""
        def block_parameters(in_channels, channels, shortcut):
            count = 9 * in_channels * channels + 9 * channels * channels + 2 * (2 * channels)
            if shortcut == "B" and in_channels != channels:
                count += in_channels * channels + 2 * channels
            return count
    """,
    hints=[
        "Convolutions before a batch norm have no bias. A batch norm has two numbers for each channel.",
        'Option "A" has nothing to learn. Option "B" has a 1x1 convolution with a batch norm, and only where the number'
        " of channels changes.",
    ],
    wrong={
        "batch norms": """
            def block_parameters(in_channels, channels, shortcut):
                count = 9 * in_channels * channels + 9 * channels * channels
                if shortcut == "B" and in_channels != channels:
                    count += in_channels * channels
                return count
        """,
        "no bias": """
            def block_parameters(in_channels, channels, shortcut):
                count = 9 * in_channels * channels + 9 * channels * channels + 6 * channels
                if shortcut == "B" and in_channels != channels:
                    count += in_channels * channels + 3 * channels
                return count
        """,
        "running statistics": """
            def block_parameters(in_channels, channels, shortcut):
                count = 9 * in_channels * channels + 9 * channels * channels + 8 * channels
                if shortcut == "B" and in_channels != channels:
                    count += in_channels * channels + 4 * channels
                return count
        """,
        "identity": """
            def block_parameters(in_channels, channels, shortcut):
                count = 9 * in_channels * channels + 9 * channels * channels + 4 * channels
                if shortcut == "B":
                    count += in_channels * channels + 2 * channels
                return count
        """,
        "batch norm of the projection": """
            def block_parameters(in_channels, channels, shortcut):
                count = 9 * in_channels * channels + 9 * channels * channels + 4 * channels
                if shortcut == "B" and in_channels != channels:
                    count += in_channels * channels
                return count
        """,
        "second convolution": """
            def block_parameters(in_channels, channels, shortcut):
                count = 2 * 9 * in_channels * channels + 4 * channels
                if shortcut == "B" and in_channels != channels:
                    count += in_channels * channels + 2 * channels
                return count
        """,
    },
)
def check_block_parameters(block_parameters) -> None:
    cases = [(16, 16, "A"), (16, 16, "B"), (16, 32, "A"), (16, 32, "B"), (64, 128, "B"), (24, 40, "B")]

    def formula(
        i: int, c: int, s: str, second: int = 0, norm: int = 2, bias: int = 0, always=False, projected=2
    ) -> int:
        count = 9 * i * c + 9 * (second or c) * c + 2 * norm * c + 2 * bias * c
        if s == "B" and (always or i != c):
            count += i * c + projected * c
        return count

    diagnoses = [
        ({"norm": 0, "projected": 0}, "The batch norms are missing: a weight and a bias for each channel."),
        ({"bias": 1, "projected": 3}, "These convolutions have no bias: the batch norm after them has one."),
        ({"norm": 4, "projected": 4}, "You counted the running statistics too. They are measured, not trained."),
        ({"always": True}, 'Where the shape stays, option "B" has nothing either: that shortcut is the identity.'),
        ({"projected": 0}, "The batch norm of the projection is missing: the 1x1 convolution has one too."),
        ({"projected": 1}, "A batch norm has a weight and a bias: the projection's adds two for each channel."),
    ]
    got = [block_parameters(*case) for case in cases]
    for change, diagnosis in diagnoses:
        if got == [formula(*case, **change) for case in cases]:
            raise Wrong(diagnosis)
    if got == [formula(i, c, s, second=i) for i, c, s in cases]:
        raise Wrong("The second convolution goes from channels to channels: its input is the first one's output.")
    for (i, c, s), value in zip(cases, got, strict=True):
        true = sum(p.numel() for p in BasicBlock(i, c, stride=1 + (i != c), shortcut=s).parameters())
        if value != true:
            raise Wrong(f'A block from {i} to {c} channels with shortcut "{s}" has {true:,} parameters, not {value}.')


@exercise(
    "06.block",
    points=3,
    stub='''
        def block(x, f):
            """The output of a residual block, for the input x and the function f, two convolutions with batch norm."""
            ...
    ''',
    solution="""
        def block(x, f):
            return torch.relu(f(x) + x)
    """,
    hints=[
        "Fig. 2 of the paper: where do the two arrows meet, and what stands below?",
        "Add x to f(x). The ReLU comes after the sum.",
    ],
    wrong={
        "plain": """
            def block(x, f):
                return torch.relu(f(x))
        """,
        "after the sum": """
            def block(x, f):
                return torch.relu(f(x)) + x
        """,
        "ReLU is missing": """
            def block(x, f):
                return f(x) + x
        """,
        "minus": """
            def block(x, f):
                return torch.relu(f(x) - x)
        """,
        "changed x": """
            def block(x, f):
                x += f(x)
                return torch.relu(x)
        """,
        "twice": """
            def block(x, f):
                return torch.relu(f(f(x)) + x)
        """,
    },
)
def check_block(block) -> None:
    torch.manual_seed(0)
    reference = BasicBlock(4, 4).eval()
    f = reference.residual
    nn.init.normal_(f[-1].weight)
    x = torch.randn(2, 4, 6, 6)
    given = x.clone()
    with torch.no_grad():
        got = block(given, f)
        if not torch.equal(given, x):
            raise Wrong("Your function changed x itself. Others may still need it: write x + ..., not x += ...")
        diagnoses = [
            (torch.relu(f(x)), "This is the block of a plain network: the shortcut is missing."),
            (torch.relu(f(x)) + x, "The ReLU belongs after the sum, so that it sees f(x) + x."),
            (f(x) + x, "The sum is right, the ReLU is missing."),
            (torch.relu(f(x) - x), "You took x away: the shortcut adds it (a plus, not a minus)."),
            (torch.relu(f(f(x)) + x), "You applied f twice: it already is both convolutions."),
        ]
        if torch.allclose(got, reference(x), atol=1e-6):
            return
        for value, diagnosis in diagnoses:
            if got.shape == value.shape and torch.allclose(got, value, atol=1e-6):
                raise Wrong(diagnosis)
    raise Wrong("The result is not relu(f(x) + x).")


@exercise(
    "06.identity",
    points=3,
    stub='''
        def make_identity(block):
            """Change the parameters of a BasicBlock in place so that it hands on its input, which has no negatives."""
            ...
    ''',
    solution="""
        def make_identity(block):
            torch.nn.init.zeros_(block.residual.norm2.weight)
            torch.nn.init.zeros_(block.residual.norm2.bias)
    """,
    hints=[
        "If the residual is zero, the block is relu(0 + x). Which layer is the last to touch the residual?",
        "The last batch norm multiplies by its weight and adds its bias, for each channel.",
    ],
    wrong={
        "shortcut": """
            def make_identity(block):
                block.shortcut = None
        """,
        "still learn": """
            def make_identity(block):
                for parameter in block.parameters():
                    torch.nn.init.zeros_(parameter)
        """,
        "bias": """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.norm2.weight)
        """,
        "Nothing has changed": """
            def make_identity(block):
                return block
        """,
        "batch norm after it": """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.conv2.weight)
        """,
    },
)
def check_identity(make_identity) -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, 4)
    nn.init.normal_(block.residual.norm2.bias)
    before = [p.clone() for p in block.parameters()]
    make_identity(block)
    if not isinstance(block.shortcut, nn.Identity):
        raise Wrong("You took away or replaced the shortcut, the one part that must stay: make the residual zero.")
    if all(torch.equal(p, q) for p, q in zip(before, block.parameters(), strict=True)):
        raise Wrong("Nothing has changed in the block you were given: change its parameters in place.")
    x = torch.rand(8, 4, 6, 6)
    with torch.no_grad():
        y = block.train()(x)
    if not torch.allclose(y, x, atol=1e-5):
        last, norm = block.residual.conv2, block.residual.norm2
        if not last.weight.any():
            raise Wrong("The second convolution is zero, but the batch norm after it still adds its bias.")
        if not norm.weight.any():
            raise Wrong("Nearly: the last batch norm still adds its bias.")
        raise Wrong("The block does not hand on its input: its residual is not zero.")
    block(x).square().sum().backward()
    weights = [p for name, p in block.residual.named_parameters() if name.endswith("weight")]
    if not any(p.grad is not None and p.grad.any() for p in weights):
        raise Wrong(
            "The block is the identity, but no weight of it gets a gradient: could it still learn more than that?"
        )


@exercise(
    "06.pooling-head",
    points=2,
    stub='''
        def pooling_head(maps, weight, bias):
            """maps: (N, C, H, W) of any size, weight: (classes, C), bias: (classes,). Returns (N, classes) logits."""
            ...
    ''',
    solution="""
        def pooling_head(maps, weight, bias):
            return maps.mean((2, 3)) @ weight.T + bias
    """,
    hints=[
        "Each map becomes one number, its mean: (N, C, H, W) becomes (N, C).",
        "After maps.mean((2, 3)) only a linear layer is left: x @ weight.T + bias.",
    ],
    wrong={
        "largest": """
            def pooling_head(maps, weight, bias):
                return maps.amax((2, 3)) @ weight.T + bias
        """,
        "sum": """
            def pooling_head(maps, weight, bias):
                return maps.sum((2, 3)) @ weight.T + bias
        """,
        "over the images": """
            def pooling_head(maps, weight, bias):
                return maps.mean((0, 2, 3)) @ weight.T + bias
        """,
        "bias is missing": """
            def pooling_head(maps, weight, bias):
                return maps.mean((2, 3)) @ weight.T
        """,
        "one size": """
            def pooling_head(maps, weight, bias):
                return maps.sum((2, 3)) / 64 @ weight.T + bias
        """,
    },
)
def check_pooling_head(pooling_head) -> None:
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(10, 6, generator=generator), torch.randn(10, generator=generator)
    sizes = [(8, 8), (5, 7), (1, 1), (12, 3)]
    maps = [torch.randn(3, 6, *size, generator=generator) for size in sizes]
    got = [pooling_head(m, weight, bias) for m in maps]
    diagnoses = [
        (lambda m: m.amax((2, 3)) @ weight.T + bias, "You took the largest value of each map; the head averages."),
        (lambda m: m.sum((2, 3)) @ weight.T + bias, "You took the sum of each map: larger images give larger logits."),
        (lambda m: m.mean((2, 3)) @ weight.T, "The bias is missing."),
        (lambda m: m.mean((0, 2, 3)) @ weight.T + bias, "You averaged over the images too: each has its own logits."),
    ]
    if [tuple(value.shape) for value in got] == [(3, 10)] * 4:
        right = [torch.allclose(value, _head(m, weight, bias), atol=1e-4) for value, m in zip(got, maps, strict=True)]
        if all(right):
            return
        if right[0]:
            raise Wrong("Right for maps of 8 x 8, wrong for 5 x 7: your head still knows one size only.")
    for formula, diagnosis in diagnoses:
        wrong = [formula(m) for m in maps]
        if all(v.shape == w.shape and torch.allclose(v, w, atol=1e-4) for v, w in zip(got, wrong, strict=True)):
            raise Wrong(diagnosis)
    shapes = ", ".join(str(tuple(value.shape)) for value in got)
    raise Wrong(f"For three images and ten classes the result must be (3, 10) and the mean's logits; yours: {shapes}.")


def _head(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.linear(F.adaptive_avg_pool2d(maps, 1).flatten(1), weight, bias)


@exercise(
    "06.deep-and-plain",
    points=3,
    stub="""
        torch.manual_seed(0)
        my_run = ...
    """,
    solution="""
        torch.manual_seed(0)
        mine = models.get_model("plain20_tiny")
        my_run = training.fit(mine, street, epochs=6, lr=0.1, batch_size=32)
    """,
    hints=[
        "How deep may a plain network be that still learns? The record above has an answer for this rate and batch.",
        "models.get_model('plain20_tiny', depths=(4, 4, 4)) has 26 layers. Smaller batches mean more steps.",
    ],
    wrong={
        "not the run": "my_run = models.get_model('plain20_tiny')",
        "shortcuts": "my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)",
        "at least 20": "my_run = training.fit(models.get_model('plain20_tiny', depths=(1, 1, 1)), street, epochs=1)",
        "fresh street digits": "my_run = training.fit(models.get_model('plain56_tiny'), street, epochs=1)",
    },
)
def check_deep_and_plain(my_run) -> None:
    if not isinstance(my_run, Run):
        raise Wrong(f"my_run is a {type(my_run).__name__}, not the run that training.fit returns.")
    blocks = [module for module in my_run.model.modules() if isinstance(module, BasicBlock)]
    if any(block.shortcut is not None for block in blocks):
        raise Wrong("Your network has shortcuts: this exercise is about plain ones, plain20_tiny and deeper.")
    layers = sum(isinstance(module, (nn.Conv2d, nn.Linear)) for module in my_run.model.modules())
    if layers < 20:
        raise Wrong(f"Your network has {layers} layers; the exercise asks for at least 20.")
    accuracy = evaluate(my_run.model, data.load("street_digits", train=1000, test=1000, seed=1).test).accuracy
    if accuracy < 0.85:
        raise Wrong(
            f"On 1,000 fresh street digits your {layers} layers read {accuracy:.0%}; at least 85 % is asked for."
        )
