"""Lesson 06, ResNet: its exercises."""

import torch
from torch import nn

from cnnlab.lessons.compare import kind
from cnnlab.lessons.diagnose import Wrong
from cnnlab.lessons.exercise import edit, exercise, source
from cnnlab.lessons.runs import reads_digits, trained
from cnnlab.models.resnet import BasicBlock, ResidualBlock

exercise(
    "06.block-parameters",
    points=2,
    stub='''
        def block_parameters(in_channels, channels, shortcut):
            """Parameters of a basic block: two 3x3 convolutions, each with batch norm,
            and its shortcut, "A" or "B"."""
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
    cases=[(16, 16, "A"), (16, 16, "B"), (16, 32, "A"), (16, 32, "B"), (64, 128, "B"), (24, 40, "B")],
    wrong=[
        edit(
            " + 2 * (2 * channels)",
            "",
            " + 2 * channels\n",
            "\n",
            "The batch norms are missing: a weight and a bias for each channel.",
        ),
        edit(
            "(2 * channels)",
            "(3 * channels)",
            " + 2 * channels\n",
            " + 3 * channels\n",
            "These convolutions have no bias: the batch norm after them has one.",
        ),
        edit(
            "(2 * channels)",
            "(3 * channels)",
            "These convolutions have no bias: the batch norm after them has one.",
        ),
        edit(
            "(2 * channels)",
            "(4 * channels)",
            " + 2 * channels\n",
            " + 4 * channels\n",
            "You counted the running statistics too. They are measured, not trained.",
        ),
        edit(
            " and in_channels != channels",
            "",
            'Where the shape stays, option "B" has nothing either: that shortcut is the identity.',
        ),
        edit(
            " + 2 * channels\n",
            "\n",
            "The batch norm of the projection is missing: the 1x1 convolution has one too.",
        ),
        edit(
            " + 2 * channels\n",
            " + channels\n",
            "A batch norm has a weight and a bias: the projection's adds two for each channel.",
        ),
        edit(
            " + 2 * channels\n",
            " + 3 * channels\n",
            "The projection has no bias of its own: the batch norm after it has one.",
        ),
        edit(
            "2 * (2 * channels)",
            "2 * channels",
            "A block has two batch norms, each with a weight and a bias: four numbers for each channel, not two.",
        ),
        edit(
            "2 * (2 * channels)",
            "2 * in_channels + 2 * channels",
            "The first batch norm stands after its convolution, so it has `channels` channels too.",
        ),
        edit(
            "9 * channels * channels",
            "9 * in_channels * channels",
            "The second convolution goes from channels to channels: its input is the first one's output.",
        ),
        edit(
            "9 * in_channels * channels + 9 * channels * channels",
            "9 * in_channels * channels",
            "A basic block has two 3x3 convolutions; you counted one.",
        ),
        edit(
            " + 2 * channels\n",
            " + channels\n",
            "2 * (2 * channels)",
            "2 * channels",
            "A batch norm has a weight and a bias: two numbers for each channel, not one.",
        ),
        edit('"B"', '"A"', 'You exchanged the options: "B" has a projection, "A" fills up with zeros.'),
        edit(
            "count += in_channels * channels + 2 * channels",
            "pass",
            'The projection of option "B" is missing: a 1x1 convolution with a batch norm.',
        ),
        edit('shortcut == "B" and ', "", 'Option "A" has nothing to learn: it fills the new channels with zeros.'),
        edit(
            "count += in_channels",
            "count += 9 * in_channels",
            "The projection is a 1x1 convolution: one weight for each pair of channels, not nine.",
        ),
    ],
)


def inputs_and_functions() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    x = torch.tensor([[1.0, -2.0], [3.0, -4.0]]).view(1, 1, 2, 2)
    small = nn.Conv2d(1, 1, 1)
    nn.init.constant_(small.weight, -2.0)
    nn.init.constant_(small.bias, 1.0)
    large = BasicBlock(4, 4).eval().residual
    for parameter in large.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return [(x, small), (torch.randn(2, 4, 6, 5, generator=generator), large)]


def check_block(block: object) -> None:
    """Whether gradients take both ways."""
    x = torch.ones(1, 2, 3, 3, requires_grad=True)
    y = block(x, lambda x: x / 2)
    if not torch.is_tensor(y) or not y.requires_grad:
        raise Wrong(
            "The result is right, but no gradient gets through it, and a network of such blocks could not learn:"
            " stay with PyTorch's functions, without numpy() or detach()."
        )
    (gradient,) = torch.autograd.grad(y.sum(), x)
    if torch.allclose(gradient, torch.full_like(gradient, 0.5)):
        raise Wrong("The result is right, but no gradient takes the shortcut, and that is what it is for: no detach().")
    if torch.allclose(gradient, torch.ones_like(gradient)):
        raise Wrong("The result is right, but no gradient goes through f, which could not learn: no detach().")


exercise(
    "06.block",
    points=3,
    stub='''
        def block(x, f):
            """The output of a residual block, for the input x and the function f,
            which is two convolutions with batch norm."""
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
    cases=inputs_and_functions,
    check=check_block,
    wrong=[
        edit("f(x) + x", "f(x)", "This is the block of a plain network: the shortcut is missing."),
        edit(
            "torch.relu(f(x) + x)",
            "torch.relu(f(x)) + x",
            "The ReLU belongs after the sum, so that it sees f(x) + x.",
        ),
        edit("torch.relu(f(x) + x)", "f(x) + x", "The sum is right, the ReLU is missing."),
        edit("torch.relu(f(x) + x)", "f(x)", "The shortcut and the ReLU are missing: this is f alone."),
        edit("f(x) + x", "f(x) - x", "You took x away: the shortcut adds it (a plus, not a minus)."),
        edit("f(x) + x", "x - f(x)", "You took f(x) away: the block adds it (a plus, not a minus)."),
        edit("f(x) + x", "f(f(x)) + x", "You applied f twice: it already is both convolutions."),
        edit(
            "torch.relu(f(x) + x)",
            "torch.relu(f(x)) + torch.relu(x)",
            "You took the ReLU of each and then the sum; the ReLU belongs after the sum.",
        ),
        edit(
            "torch.relu(f(x) + x)",
            "torch.relu(torch.relu(f(x)) + x)",
            "There is one ReLU too many: f(x) meets x before any ReLU, so that it can also take something away.",
        ),
        edit(
            "torch.relu(f(x) + x)",
            "f(torch.relu(x)) + x",
            "The ReLU stands before f, as in the block of 2016; here it comes after the sum.",
        ),
        edit("f(x) + x", "f(x) * x", "You multiplied by x: the shortcut adds it."),
        edit("f(x) + x", "f(x + x)", "x is to be added to what f returns, not to what it is given."),
    ],
)


def check_slopes(my_slopes: object) -> None:
    """Measures what is refuted: the gradient that arrives through thirty blocks with shortcuts."""
    try:
        slopes = torch.as_tensor(my_slopes, dtype=torch.float64).detach().flatten()
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"my_slopes is {kind(my_slopes)}; thirty numbers are asked for, as in [0.5] * 30.") from None
    if len(slopes) != 30:
        raise Wrong(f"There are thirty blocks, and you gave slopes for {len(slopes)}.")
    if not bool((slopes.abs() <= 1).all()):
        raise Wrong("Each slope must lie between -1 and 1, as moderate as those of the chain above.")
    start = x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    for slope in slopes:
        x = slope * torch.tanh(x) + x
    (gradient,) = torch.autograd.grad(x, start)
    size = abs(gradient.item())
    if size > 1:
        raise Wrong(f"With these slopes the gradient grows to {size:.3g}: make each factor smaller than 1.")
    if size >= 1e-6:
        raise Wrong(f"A gradient of {size:.3g} still arrives. What must F' be near, so that 1 + F' is near 0?")


exercise(
    "06.one-plus",
    points=2,
    stub="""
        my_slopes = ...  # thirty numbers between -1 and 1
    """,
    solution="""
        my_slopes = [-1.0] * 30
    """,
    hints=[
        "A block hands the gradient on times 1 + F'(x). For which F' is nothing left?",
        "F(x) = w tanh(x) has the slope w where x is near 0. A block that takes away what comes in hands on nothing.",
    ],
    check=check_slopes,
    wrong=[
        source("my_slopes = [0.0] * 30", "still arrives"),
        source("my_slopes = [1.0] * 30", "grows"),
        source("my_slopes = [-0.1] * 30", "still arrives"),
        source("my_slopes = [-2.0] * 30", "between -1 and 1"),
        source("my_slopes = [-1.0] * 29", "slopes for 29"),
        source("my_slopes = -1.0", "slopes for 1"),
        source("my_slopes = 'steep'", "thirty numbers"),
    ],
)


def check_identity(make_identity: object) -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, 4)
    nn.init.normal_(block.residual.norm2.bias)
    before = {name: parameter.detach().clone() for name, parameter in block.named_parameters()}
    make_identity(block)
    if not isinstance(block.shortcut, nn.Identity):
        raise Wrong("You took away or replaced the shortcut, the one part that must stay: make the residual zero.")
    after = dict(block.named_parameters())
    if list(before) != list(after):
        raise Wrong("You took away or replaced a layer of the residual: change the numbers in its parameters instead.")
    if any(norm.eps != nn.BatchNorm2d(4).eps for norm in (block.residual.norm1, block.residual.norm2)):
        raise Wrong("You changed a setting of a batch norm (its eps): change the numbers in its parameters instead.")
    if all(torch.equal(before[name], after[name]) for name in before):
        raise Wrong("Nothing has changed in the block you were given: change its parameters in place.")
    x = torch.rand(8, 4, 6, 6)
    for training in (True, False):
        with torch.no_grad():
            y = block.train(training)(x)
        if not torch.allclose(y, x, atol=1e-5):
            raise Wrong(_what_is_left(block))
    if not any(parameter.requires_grad for parameter in block.parameters()):
        raise Wrong("You froze the block: it is the identity and has to stay so. Leave requires_grad as it is.")
    block.train()(x).square().sum().backward()
    weights = [p for name, p in block.residual.named_parameters() if name.endswith("weight")]
    if not any(p.grad is not None and p.grad.any() for p in weights):
        raise Wrong(
            "The block is the identity, but no weight of it gets a gradient: could it still learn more than that?"
        )


def _what_is_left(block: BasicBlock) -> str:
    last, norm = block.residual.conv2, block.residual.norm2
    if not last.weight.any():
        return "The second convolution is zero, but the batch norm after it still adds its bias."
    if not norm.weight.any():
        return "Nearly: the last batch norm still adds its bias."
    if not norm.bias.any():
        return "The last batch norm adds nothing any more, but it still multiplies by its weight."
    return "The block does not hand on its input: its residual is not zero."


exercise(
    "06.identity",
    points=3,
    stub='''
        def make_identity(block):
            """Change the parameters of a BasicBlock in place so that it hands on its input,
            which has no negatives."""
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
    check=check_identity,
    wrong=[
        source(
            """
            def make_identity(block):
                block.shortcut = None
            """,
            "shortcut",
        ),
        source(
            """
            def make_identity(block):
                block.residual = torch.nn.Identity()
            """,
            "replaced a layer of the residual",
        ),
        source(
            """
            def make_identity(block):
                for parameter in block.parameters():
                    torch.nn.init.zeros_(parameter)
            """,
            "still learn",
        ),
        source(
            """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.norm2.weight)
            """,
            "still adds its bias",
        ),
        source(
            """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.norm2.bias)
            """,
            "still multiplies by its weight",
        ),
        source(
            """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.norm2.weight)
                torch.nn.init.zeros_(block.residual.norm2.bias)
                block.requires_grad_(False)
            """,
            "You froze the block",
        ),
        source(
            """
            def make_identity(block):
                return block
            """,
            "Nothing has changed",
        ),
        source(
            """
            def make_identity(block):
                block.residual.norm2.eps = 1e30
                torch.nn.init.zeros_(block.residual.norm2.bias)
            """,
            "a setting of a batch norm",
        ),
        source(
            """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.conv2.weight)
            """,
            "batch norm after it",
        ),
        source(
            """
            def make_identity(block):
                torch.nn.init.zeros_(block.residual.norm1.weight)
                torch.nn.init.zeros_(block.residual.norm1.bias)
            """,
            "residual is not zero",
        ),
    ],
)


def maps_and_head() -> list[tuple]:
    generator = torch.Generator().manual_seed(0)
    few = torch.tensor([[1.0, 2.0, 3.0, 6.0], [0.0, -1.0, 1.0, 4.0]]).view(1, 2, 2, 2)
    small = few, torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]), torch.tensor([0.5, 0.0, 2.0])
    sizes = [(4, 4, 4, 4, 4), (10, 3, 6, 8, 8), (10, 3, 6, 5, 7), (10, 3, 6, 1, 1), (5, 2, 3, 12, 3)]
    return [small] + [
        tuple(torch.randn(size, generator=generator) for size in ((n, c, h, w), (classes, c), (classes,)))
        for classes, n, c, h, w in sizes  # in the first of them wrong matches of axes fit too
    ]


exercise(
    "06.pooling-head",
    points=2,
    stub='''
        def pooling_head(maps, weight, bias):
            """maps: (N, C, H, W) of any size, weight: (classes, C), bias: (classes,).
            Returns (N, classes) logits."""
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
    cases=maps_and_head,
    wrong=[
        edit("mean", "amax", "You took the largest value of each map; the head averages."),
        edit("mean", "sum", "You took the sum of each map: larger images give larger logits."),
        edit("(2, 3)", "(0, 2, 3)", "You averaged over the images too: each has its own logits."),
        edit(" + bias", "", "The bias is missing."),
        edit(
            "maps.mean((2, 3))",
            "maps.mean((0, 2, 3)).expand(len(maps), -1)",
            "You averaged over the images too: each has its own logits.",
        ),
        edit(
            "mean((2, 3))",
            "sum((2, 3)) / maps.shape[2] ** 2",
            "Right for square maps: a map has height * width pixels, and you divided by the square of one side.",
        ),
        edit(
            "mean((2, 3))",
            "sum((2, 3)) / 64",
            "Right for maps of 8 x 8 and wrong for others: your head still knows one size only.",
        ),
        edit("weight.T", "weight", "weight has the shape (classes, C): it is to be transposed, x @ weight.T."),
        edit(
            "maps.mean((2, 3)) @ weight.T + bias",
            "(maps.mean((2, 3)) @ weight.T + bias).softmax(dim=1)",
            "These are probabilities: a softmax is too much, since logits are asked for.",
        ),
        edit(
            "maps.mean((2, 3)) @ weight.T + bias",
            "(maps.mean((2, 3)) @ weight.T + bias).log_softmax(dim=1)",
            "These are logarithms of probabilities: a log_softmax is too much, since logits are asked for.",
        ),
        edit(
            "maps.mean((2, 3)) @ weight.T + bias",
            "(maps.mean((2, 3)) @ weight.T + bias).sigmoid()",
            "These lie between 0 and 1: a sigmoid is too much, since logits are asked for.",
        ),
        edit(
            "maps.mean((2, 3)) @ weight.T + bias",
            "(maps.mean((2, 3)) @ weight.T + bias).relu()",
            "A ReLU is too much: logits may be negative.",
        ),
        edit(
            "maps.mean((2, 3))",
            "maps.relu().mean((2, 3))",
            "A ReLU before the mean is too much: the head averages the maps as they are.",
        ),
        edit(
            "maps.mean((2, 3)) @ weight.T + bias",
            "(maps.mean((2, 3)) @ weight.T + bias).argmax(dim=1)",
            "These are the guesses; the logits of all classes are asked for.",
        ),
        edit(
            "maps.mean((2, 3))",
            "maps[:, :, 0, 0]",
            "You took one pixel of each map; the head takes the mean of all of them.",
        ),
    ],
)


def check_deep_and_plain(my_run: object) -> None:
    modules = list(trained(my_run).modules())
    if any(isinstance(module, ResidualBlock) and module.shortcut is not None for module in modules):
        raise Wrong("Your network has shortcuts: this exercise is about plain ones, plain20_tiny and deeper.")
    layers = sum(isinstance(module, (nn.Conv2d, nn.Linear)) for module in modules)
    if layers < 20:
        raise Wrong(f"Your network has {layers} layers; the exercise asks for at least 20.")
    reads_digits(my_run.model, 0.85)


exercise(
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
    check=check_deep_and_plain,
    wrong=[
        source("my_run = models.get_model('plain20_tiny')", "not the run"),
        source("my_run = training.fit(models.get_model('resnet20_tiny'), street, epochs=1)", "shortcuts"),
        source(
            "my_run = training.fit(models.get_model('plain20_tiny', depths=(1, 1, 1)), street, epochs=1)",
            "at least 20",
        ),
        source("my_run = training.fit(models.get_model('plain56_tiny'), street, epochs=1)", "fresh street digits"),
    ],
)
