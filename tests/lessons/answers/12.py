"""Answers of learners to the exercises of lesson 12, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 12.channels
    Right(
        "12.channels",
        "a set of what is read",
        """
def cell_channels(inputs, width):
    read = {name for pair in inputs for name in pair}
    free = [i for i in range(1, len(inputs) + 1) if f"b{i}" not in read]
    return len(free) * width
""",
    ),
    Right(
        "12.channels",
        "two loops and a counter",
        """
def cell_channels(inputs, width):
    count = 0
    for number in range(len(inputs)):
        name = "b" + str(number + 1)
        is_read = False
        for left, right in inputs:
            if left == name or right == name:
                is_read = True
        if not is_read:
            count += 1
    return count * width
""",
    ),
    Right(
        "12.channels",
        "takes the blocks off that are read",
        """
def cell_channels(inputs, width):
    left_over = {"b%d" % (i + 1) for i in range(len(inputs))}
    for pair in inputs:
        left_over -= set(pair)
    return width * len(left_over)
""",
    ),
    Right(
        "12.channels",
        "the package's own cell, with any operation",
        """
def cell_channels(inputs, width):
    cell = CellSpec(tuple(("identity", a, "identity", b) for a, b in inputs))
    return width * len(cell.output)
""",
    ),
    Right(
        "12.channels",
        "NumPy, a table of who reads whom",
        """
def cell_channels(inputs, width):
    n = len(inputs)
    reads = np.zeros((n, n), dtype=bool)
    for reader, pair in enumerate(inputs):
        for name in pair:
            if name.startswith("b"):
                reads[reader, int(name[1:]) - 1] = True
    return int((~reads.any(axis=0)).sum() * width)
""",
    ),
    Wrong(
        "12.channels",
        "all blocks",
        """
def cell_channels(inputs, width):
    return len(inputs) * width
""",
        mistake="concatenates all blocks, also those that another block has read",
    ),
    Wrong(
        "12.channels",
        "counts the readings",
        """
def cell_channels(inputs, width):
    readings = sum(name.startswith("b") for pair in inputs for name in pair)
    return (len(inputs) - readings) * width
""",
        mistake="counts a block twice that is read twice",
    ),
    Wrong(
        "12.channels",
        "one long text",
        """
def cell_channels(inputs, width):
    text = " ".join(a + " " + b for a, b in inputs)
    return width * sum(f"b{i + 1}" not in text for i in range(len(inputs)))
""",
        mistake="looks for b1 in a text, where it also finds it in b10",
    ),
    Wrong(
        "12.channels",
        "range one too short",
        """
def cell_channels(inputs, width):
    read = {name for pair in inputs for name in pair}
    return width * sum(f"b{i}" not in read for i in range(1, len(inputs)))
""",
        mistake="stops one block too early: the last one, which nobody can read, is missing",
    ),
    Wrong(
        "12.channels",
        "the first input only",
        """
def cell_channels(inputs, width):
    read = [pair[0] for pair in inputs]
    return width * sum(f"b{i + 1}" not in read for i in range(len(inputs)))
""",
        mistake="looks at the first of the two maps of each block only",
    ),
    Wrong(
        "12.channels",
        "h and p as well",
        """
def cell_channels(inputs, width):
    maps = ["h", "p"] + [f"b{i + 1}" for i in range(len(inputs))]
    read = {name for pair in inputs for name in pair}
    return width * len([m for m in maps if m not in read])
""",
        mistake="gives out h or p where nobody reads them; only blocks are concatenated",
    ),
    Wrong(
        "12.channels",
        "the number of blocks",
        """
def cell_channels(inputs, width):
    read = {name for pair in inputs for name in pair}
    return sum(f"b{i + 1}" not in read for i in range(len(inputs)))
""",
        mistake="returns the blocks, not their channels: the width is missing",
    ),
    Wrong(
        "12.channels",
        "adds them",
        """
def cell_channels(inputs, width):
    return width
""",
        mistake="adds the free blocks, where the cell concatenates them",
    ),
    # 12.count
    Right(
        "12.count",
        "a product over the blocks",
        """
def sequences(blocks, operations):
    cell = 1
    for block in range(blocks):
        maps = block + 2
        cell *= maps * maps * operations * operations
    return cell * cell
""",
    ),
    Right(
        "12.count",
        "math.prod",
        """
def sequences(blocks, operations):
    return math.prod(((2 + b) * operations) ** 4 for b in range(blocks))
""",
    ),
    Right(
        "12.count",
        "a closed form with a factorial",
        """
def sequences(blocks, operations):
    return (math.factorial(blocks + 1) * operations**blocks) ** 4
""",
    ),
    Right(
        "12.count",
        "recursion",
        """
def one_cell(blocks, operations):
    if blocks == 0:
        return 1
    last = (blocks + 1) ** 2 * operations**2
    return last * one_cell(blocks - 1, operations)


def sequences(blocks, operations):
    return one_cell(blocks, operations) ** 2
""",
    ),
    Right(
        "12.count",
        "NumPy with Python's whole numbers",
        """
def sequences(blocks, operations):
    choices = np.array([(b + 2) * operations for b in range(blocks)], dtype=object)
    return np.prod(choices**2) ** 2
""",
    ),
    Wrong(
        "12.count",
        "64 bits",
        """
def sequences(blocks, operations):
    choices = torch.tensor([((b + 2) * operations) ** 2 for b in range(blocks)])
    return int(choices.prod() ** 2)
""",
        mistake="the paper's number is larger than 64 bits hold, and the tensor overflows without a word",
    ),
    Wrong(
        "12.count",
        "one cell",
        """
def sequences(blocks, operations):
    return math.prod(((b + 2) * operations) ** 2 for b in range(blocks))
""",
        mistake="counts one cell and not the pair",
    ),
    Wrong(
        "12.count",
        "twice a cell",
        """
def sequences(blocks, operations):
    return 2 * math.prod(((b + 2) * operations) ** 2 for b in range(blocks))
""",
        mistake="adds the two cells' possibilities; each goes with each, so they multiply",
    ),
    Wrong(
        "12.count",
        "without order",
        """
def sequences(blocks, operations):
    cell = math.prod((b + 2) * operations * ((b + 2) * operations + 1) // 2 for b in range(blocks))
    return cell**2
""",
        mistake="counts the two terms of a sum in one order only, where the text says every order",
    ),
    Wrong(
        "12.count",
        "two different inputs",
        """
def sequences(blocks, operations):
    return math.prod((b + 2) * (b + 1) * operations**2 for b in range(blocks)) ** 2
""",
        mistake="forbids a block to read the same map twice",
    ),
    Wrong(
        "12.count",
        "h and p forgotten",
        """
def sequences(blocks, operations):
    return math.prod(((b + 1) * operations) ** 2 for b in range(blocks)) ** 2
""",
        mistake="lets the first block read one map; it has h and p",
    ),
    Wrong(
        "12.count",
        "only h and p",
        """
def sequences(blocks, operations):
    return ((2 * operations) ** 2) ** (2 * blocks)
""",
        mistake="lets no block read an earlier one; right for one block only",
    ),
    Wrong(
        "12.count",
        "one operation a block",
        """
def sequences(blocks, operations):
    return math.prod((b + 2) ** 2 * operations for b in range(blocks)) ** 2
""",
        mistake="chooses one operation for both inputs",
    ),
    # 12.reinforce
    Right(
        "12.reinforce",
        "the softmax's gradient by hand",
        """
def push(logits, choice, reward, baseline):
    direction = -logits.softmax(0)
    direction[choice] += 1
    return (reward - baseline) * direction
""",
    ),
    Right(
        "12.reinforce",
        "one-hot minus probabilities",
        """
def push(logits, choice, reward, baseline):
    chosen = F.one_hot(torch.tensor(choice), len(logits)).to(logits)
    return (reward - baseline) * (chosen - F.softmax(logits, dim=-1))
""",
    ),
    Right(
        "12.reinforce",
        "autograd on a copy",
        """
def push(logits, choice, reward, baseline):
    theta = logits.detach().clone().requires_grad_()
    value = (reward - baseline) * theta.log_softmax(-1)[choice]
    (gradient,) = torch.autograd.grad(value, theta)
    return gradient
""",
    ),
    Right(
        "12.reinforce",
        "torch.func",
        """
def push(logits, choice, reward, baseline):
    objective = lambda z: (reward - baseline) * torch.log_softmax(z, 0)[choice]
    return torch.func.grad(objective)(logits)
""",
    ),
    Right(
        "12.reinforce",
        "a comprehension over the possibilities",
        """
def push(logits, choice, reward, baseline):
    z = [math.exp(v - logits.max()) for v in logits.tolist()]
    p = [v / sum(z) for v in z]
    advantage = float(reward - baseline)
    return torch.tensor([advantage * ((i == choice) - p_i) for i, p_i in enumerate(p)], dtype=logits.dtype)
""",
    ),
    Right(
        "12.reinforce",
        "a distribution and .backward on a copy",
        """
def push(logits, choice, reward, baseline):
    own = nn.Parameter(logits.clone().detach())
    log_p = torch.distributions.Categorical(logits=own).log_prob(torch.tensor(choice))
    ((reward - baseline) * log_p).backward()
    return own.grad
""",
    ),
    Wrong(
        "12.reinforce",
        "the gradient of the loss",
        """
def push(logits, choice, reward, baseline):
    direction = logits.softmax(0)
    direction[choice] -= 1
    return (reward - baseline) * direction
""",
        mistake="the sign of a loss: it makes a good decision less likely",
    ),
    Wrong(
        "12.reinforce",
        "no baseline",
        """
def push(logits, choice, reward, baseline):
    chosen = torch.zeros_like(logits)
    chosen[choice] = 1
    return reward * (chosen - logits.softmax(0))
""",
        mistake="leaves the baseline out, so that every decision is pushed up",
    ),
    Wrong(
        "12.reinforce",
        "of p itself",
        """
def push(logits, choice, reward, baseline):
    p = logits.softmax(0)
    chosen = torch.zeros_like(p)
    chosen[choice] = 1
    return (reward - baseline) * p[choice] * (chosen - p)
""",
        mistake="differentiates p and not log p",
    ),
    Wrong(
        "12.reinforce",
        "the chosen logit only",
        """
def push(logits, choice, reward, baseline):
    out = torch.zeros_like(logits)
    out[choice] = (reward - baseline) * (1 - logits.softmax(0)[choice])
    return out
""",
        mistake="moves the chosen logit only; the softmax takes from all others",
    ),
    Wrong(
        "12.reinforce",
        "the new logits",
        """
def push(logits, choice, reward, baseline):
    chosen = F.one_hot(torch.tensor(choice), len(logits))
    return logits + (reward - baseline) * (chosen - logits.softmax(0))
""",
        mistake="returns the moved logits, not the move",
    ),
    Wrong(
        "12.reinforce",
        "backward on the caller's logits",
        """
def push(logits, choice, reward, baseline):
    logits.requires_grad_()
    ((reward - baseline) * logits.log_softmax(0)[choice]).backward()
    return logits.grad
""",
        mistake="collects gradients in the caller's tensor: the second call returns the sum of both",
    ),
    Wrong(
        "12.reinforce",
        "log-probabilities in the place of probabilities",
        """
def push(logits, choice, reward, baseline):
    chosen = torch.zeros_like(logits)
    chosen[choice] = 1.0
    return (reward - baseline) * (chosen - logits.log_softmax(0))
""",
        mistake="subtracts log-probabilities, where the derivative has the probabilities",
    ),
    Wrong(
        "12.reinforce",
        "writes into the logits",
        """
def push(logits, choice, reward, baseline):
    p = logits.softmax(0)
    logits.copy_(-p)
    logits[choice] += 1
    return logits.mul_(reward - baseline)
""",
        mistake="overwrites the caller's logits",
    ),
    # 12.clip
    Right(
        "12.clip",
        "clamp and torch.min",
        """
def clipped(ratio, advantage, epsilon):
    return torch.min(ratio * advantage, torch.clamp(ratio, 1 - epsilon, 1 + epsilon) * advantage)
""",
    ),
    Right(
        "12.clip",
        "by the sign of the advantage",
        """
def clipped(ratio, advantage, epsilon):
    good = ratio.clamp(max=1 + epsilon)
    bad = ratio.clamp(min=1 - epsilon)
    return torch.where(advantage > 0, good, bad) * advantage
""",
    ),
    Right(
        "12.clip",
        "a loop over the elements",
        """
def clipped(ratio, advantage, epsilon):
    out = []
    for r, a in zip(*torch.broadcast_tensors(ratio, advantage)):
        held = min(max(r, 1 - epsilon), 1 + epsilon)
        out.append(min(r * a, held * a))
    return torch.stack([torch.as_tensor(o) for o in out])
""",
    ),
    Right(
        "12.clip",
        "NumPy",
        """
def clipped(ratio, advantage, epsilon):
    r, a = ratio.numpy(), advantage.numpy()
    return np.minimum(r * a, np.clip(r, 1 - epsilon, 1 + epsilon) * a)
""",
    ),
    Right(
        "12.clip",
        "stacked, the least along an axis, float64",
        """
def clipped(ratio, advantage, epsilon):
    ratio, advantage = ratio.double(), advantage.double()
    both = torch.stack([ratio * advantage, ratio.clip(1 - epsilon, 1 + epsilon) * advantage])
    return both.amin(dim=0)
""",
    ),
    Wrong(
        "12.clip",
        "the clip alone",
        """
def clipped(ratio, advantage, epsilon):
    return torch.clamp(ratio, 1 - epsilon, 1 + epsilon) * advantage
""",
        mistake="forgets the minimum, so that a decision that went the wrong way gets no gradient",
    ),
    Wrong(
        "12.clip",
        "clips the product",
        """
def clipped(ratio, advantage, epsilon):
    product = ratio * advantage
    return torch.min(product, product.clamp(1 - epsilon, 1 + epsilon))
""",
        mistake="holds the product, not the ratio",
    ),
    Wrong(
        "12.clip",
        "the larger one",
        """
def clipped(ratio, advantage, epsilon):
    return torch.max(ratio * advantage, ratio.clamp(1 - epsilon, 1 + epsilon) * advantage)
""",
        mistake="takes the optimistic one of the two",
    ),
    Wrong(
        "12.clip",
        "the loss",
        """
def clipped(ratio, advantage, epsilon):
    return -torch.min(ratio * advantage, ratio.clamp(1 - epsilon, 1 + epsilon) * advantage)
""",
        mistake="returns the loss, with the sign turned",
    ),
    Wrong(
        "12.clip",
        "around zero",
        """
def clipped(ratio, advantage, epsilon):
    held = (ratio - 1).clamp(-epsilon, epsilon)
    return torch.min(ratio * advantage, held * advantage)
""",
        mistake="forgets to add the 1 again after clipping the difference",
    ),
    # 12.ten-points
    Right(
        "12.ten-points",
        "loops",
        """
tables = course.record("cell_search").results["tables"]
places = [(row, column) for row in range(21) for column in range(21)]
for a in places:
    for b in places:
        first = [tables[s][a[0]][a[1]] - tables[s][b[0]][b[1]] for s in (0, 1)]
        if first[0] > 0.12 and first[1] < -0.12:
            my_two = a, b
""",
    ),
    Right(
        "12.ten-points",
        "the luckiest and the unluckiest network",
        """
first, second = torch.tensor(course.record("cell_search").results["tables"]).flatten(1)
gap = (first[:, None] - first).clamp(max=0.2) + (second - second[:, None]).clamp(max=0.2)
a, b = np.unravel_index(int(gap.argmax()), (441, 441))
my_two = [[a // 21, a % 21], [b // 21, b % 21]]
""",
    ),
    Right(
        "12.ten-points",
        "a tensor of places",
        """
t = torch.tensor(course.record("cell_search").results["tables"])
d = t.flatten(1)[:, :, None] - t.flatten(1)[:, None]
found = ((d[0] > 0.11) & (d[1] < -0.11)).nonzero()[0]
my_two = torch.stack([found // 21, found % 21], 1)
""",
    ),
    Wrong(
        "12.ten-points",
        "the best and the worst",
        """
t = torch.tensor(course.record("cell_search").results["tables"][0]).flatten()
my_two = (divmod(int(t.argmax()), 21), divmod(int(t.argmin()), 21))
""",
        mistake="takes the best and the worst, which another seed does not turn round",
    ),
    Wrong(
        "12.ten-points",
        "in the wrong order",
        """
first, second = torch.tensor(course.record("cell_search").results["tables"]).flatten(1)
gap = torch.minimum(first[:, None] - first, second - second[:, None])
a, b = divmod(int(gap.argmax()), 441)
my_two = (divmod(b, 21), divmod(a, 21))
""",
        mistake="names the one with the lower reward first",
    ),
    Wrong(
        "12.ten-points",
        "places in the flattened table",
        "my_two = (301, 17)",
        mistake="gives places in the flattened table instead of rows and columns",
    ),
    Wrong(
        "12.ten-points",
        "a difference",
        "my_two = 0.14",
        mistake="gives the difference, not the two networks",
    ),
    # 12.your-cells
    Right(
        "12.your-cells",
        "a one-block normal cell, a reduction cell of two blocks",
        """
normal = CellSpec((("sep3", "p", "max3", "h"),))
my_cells = normal, CellSpec((("max3", "h", "sep3", "p"), ("max3", "p", "sep3", "h")))
""",
        slow=True,
    ),
    Right(
        "12.your-cells",
        "a larger kernel, as keyword arguments",
        """
wide = CellSpec(pairs=(("sep5", "p", "max3", "h"), ("sep3", "h", "identity", "p")))
my_cells = (wide, CellSpec(pairs=(("sep3", "p", "max3", "h"), ("max3", "p", "sep3", "h"))))
""",
        slow=True,
    ),
    Wrong(
        "12.your-cells",
        "the record's best in the mean of both seeds",
        """
worth = torch.tensor(course.record("cell_search").results["tables"]).mean(0)
row, column = divmod(worth.argmax().item(), len(CELLS))
my_cells = CELLS[row], CELLS[column]
""",
        mistake="looks the pair up in the table, where one of its own is asked for",
    ),
    Right(
        "12.your-cells",
        "two blocks a cell, drawn by hand, as a list",
        """
normal = CellSpec((("sep3", "h", "identity", "p"), ("sep3", "p", "max3", "h")))
reduction = CellSpec((("sep3", "h", "max3", "p"), ("max3", "p", "max3", "h")))
my_cells = [normal, reduction]
""",
        slow=True,
    ),
    Wrong(
        "12.your-cells",
        "the paper's cells",
        """
my_cells = (NORMAL_A, REDUCTION_A)
""",
        mistake="NASNet-A's cells cost more than three times the budget",
    ),
    Wrong(
        "12.your-cells",
        "the normal cell alone",
        """
my_cells = CellSpec((("sep3", "h", "identity", "p"),))
""",
        mistake="hands in one cell; a network needs a normal and a reduction cell",
    ),
    Wrong(
        "12.your-cells",
        "large kernels everywhere",
        """
normal = CellSpec((("sep7", "h", "sep7", "p"), ("sep7", "h", "sep7", "p")))
my_cells = (normal, CellSpec((("sep7", "h", "sep7", "p"),)))
""",
        mistake="costs more than the 800,000 mult-adds that are allowed",
    ),
    Wrong(
        "12.your-cells",
        "nothing but identities",
        """
copy_cell = CellSpec((("identity", "h", "identity", "h"), ("identity", "h", "identity", "p")))
my_cells = (copy_cell, copy_cell)
""",
        mistake="neither cell filters or learns anything: cheap, and it reads next to nothing",
        slow=True,
    ),
    Wrong(
        "12.your-cells",
        "plain tuples",
        """
my_cells = ((("sep3", "h", "identity", "p"),), (("sep3", "h", "max3", "p"),))
""",
        mistake="hands in bare tuples; a cell is a CellSpec",
    ),
    Wrong(
        "12.count",
        "a factorial that is one too many",
        """
def sequences(blocks, operations):
    return (math.factorial(blocks + 2) * operations**blocks) ** 4
""",
        mistake="lets each block read one map more than there are; the factor differs from case to case",
    ),
    Wrong(
        "12.your-cells",
        "two accuracies",
        """
my_cells = (0.61, 0.58)
""",
        mistake="hands in what two trainings reached, not the cells",
    ),
]
