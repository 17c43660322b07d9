"""Answers of learners to the exercises of lesson 17, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 17.front
    Right(
        "17.front",
        "a helper that says who beats whom",
        """
def beats(one, other):
    no_worse = one[0] <= other[0] and one[1] >= other[1]
    return no_worse and (one[0] < other[0] or one[1] > other[1])


def front(networks):
    return {n for n, p in networks.items() if not any(beats(q, p) for q in networks.values())}
""",
    ),
    Right(
        "17.front",
        "two loops and a flag",
        """
def front(networks):
    chosen = set()
    for name in networks:
        cost, accuracy = networks[name]
        beaten = False
        for other in networks:
            c, a = networks[other]
            if c <= cost and a >= accuracy and (c, a) != (cost, accuracy):
                beaten = True
                break
        if not beaten:
            chosen.add(name)
    return chosen
""",
    ),
    Right(
        "17.front",
        "takes the beaten ones away from all",
        """
def front(networks):
    left = set(networks)
    for a, (cost_a, acc_a) in networks.items():
        for b, (cost_b, acc_b) in networks.items():
            if cost_a <= cost_b and acc_a > acc_b or cost_a < cost_b and acc_a >= acc_b:
                left.discard(b)
    return left
""",
    ),
    Right(
        "17.front",
        "NumPy, all pairs at once",
        """
def front(networks):
    names = list(networks)
    cost, accuracy = np.array([networks[n] for n in names], dtype=float).T
    dearer_or_equal = cost[:, None] >= cost[None]
    worse_or_equal = accuracy[:, None] <= accuracy[None]
    really = (cost[:, None] > cost[None]) | (accuracy[:, None] < accuracy[None])
    beaten = (dearer_or_equal & worse_or_equal & really).any(1)
    return {name for name, lost in zip(names, beaten) if not lost}
""",
    ),
    Right(
        "17.front",
        "by price, in groups, so that equals stay",
        """
from itertools import groupby


def front(networks):
    chosen, best = [], float("-inf")
    by_cost = sorted(networks, key=lambda name: networks[name][0])
    for _, group in groupby(by_cost, key=lambda name: networks[name][0]):
        group = list(group)
        top = max(networks[name][1] for name in group)
        if top > best:
            chosen += [name for name in group if networks[name][1] == top]
            best = top
    return set(chosen)
""",
    ),
    Wrong(
        "17.front",
        "one pass over the sorted list",
        """
def front(networks):
    chosen = []
    for name in sorted(networks, key=lambda n: (networks[n][0], -networks[n][1])):
        if not chosen or networks[name][1] > networks[chosen[-1]][1]:
            chosen.append(name)
    return set(chosen)
""",
        mistake="drops a network that equals another one in both, though neither is better in anything",
    ),
    Wrong(
        "17.front",
        "better in both",
        """
def front(networks):
    def beaten(name):
        cost, accuracy = networks[name]
        return any(c < cost and a > accuracy for c, a in networks.values())
    return {name for name in networks if not beaten(name)}
""",
        mistake="keeps a network that costs as much as another one and reads worse: better in one is enough",
    ),
    Wrong(
        "17.front",
        "everybody against everybody",
        """
def front(networks):
    return {
        n for n, (cost, acc) in networks.items()
        if not any(c <= cost and a >= acc for c, a in networks.values())
    }
""",
        mistake="lets each network beat itself, so that nobody is left",
    ),
    Wrong(
        "17.front",
        "others no worse",
        """
def front(networks):
    return {
        n for n, (cost, acc) in networks.items()
        if not any(m != n and c <= cost and a >= acc for m, (c, a) in networks.items())
    }
""",
        mistake="lets two equal networks beat each other",
    ),
    Wrong(
        "17.front",
        "accuracy for its price",
        """
def front(networks):
    return {max(networks, key=lambda n: networks[n][1] / networks[n][0])}
""",
        mistake="takes the best ratio, which is one choice of many on the front",
    ),
    Wrong(
        "17.front",
        "the cheapest and the best",
        """
def front(networks):
    return {min(networks, key=lambda n: networks[n][0]), max(networks, key=lambda n: networks[n][1])}
""",
        mistake="returns the two ends and nothing between them",
    ),
    Wrong(
        "17.front",
        "an expensive one is a good one",
        """
def front(networks):
    def beaten(name):
        cost, accuracy = networks[name]
        return any(
            c >= cost and a >= accuracy and (c > cost or a > accuracy) for c, a in networks.values()
        )
    return {name for name in networks if not beaten(name)}
""",
        mistake="treats a high cost as an advantage",
    ),
    Wrong(
        "17.front",
        "deletes on the way",
        """
def front(networks):
    for n in list(networks):
        cost, acc = networks[n]
        if any((c <= cost and a > acc) or (c < cost and a >= acc) for c, a in networks.values()):
            del networks[n]
    return set(networks)
""",
        mistake="deletes the beaten networks from the caller's dictionary",
    ),
    # 17.sooner
    Right(
        "17.sooner",
        "the searched cells against the first of them all",
        """
my_pair = "nasnet_a_mobile_tiny", "alexnet_tiny"
""",
    ),
    Right(
        "17.sooner",
        "a list, without the ending",
        """
my_pair = ["googlenet_2014", "speed run"]
""",
    ),
    Right(
        "17.sooner",
        "another pair, as a tuple",
        """
my_pair = ("googlenet_tiny", "speed run")
""",
    ),
    Right(
        "17.sooner",
        "split out of a sentence",
        """
my_pair = "nasnet_a_mobile_tiny wrn_16_8_tiny".split()
""",
    ),
    Wrong(
        "17.sooner",
        "fewer and sooner",
        """
my_pair = ("lenet5", "alexnet_tiny")
""",
        mistake="names a network that takes fewer mult-adds and is faster, which confirms the sentence",
    ),
    Wrong(
        "17.sooner",
        "slow because it does more",
        """
my_pair = ("conv_mobilenet_v1_tiny", "resnet20_tiny")
""",
        mistake="the slow network also takes more mult-adds",
    ),
    Wrong(
        "17.sooner",
        "nearly",
        """
my_pair = ("mobilenet_v1_tiny", "resnet18_tiny")
""",
        mistake="not half the mult-adds, and not twice the time",
    ),
    Wrong(
        "17.sooner",
        "one network in a list of three",
        """
my_pair = ("nasnet_a_mobile_tiny", "alexnet_tiny", "resnet20_tiny")
""",
        mistake="names three networks where a pair is asked for",
    ),
    # 17.luck
    Right(
        "17.luck",
        "solved for the number of images",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return math.ceil(errors**2 * variance / (first - second) ** 2)
""",
    ),
    Right(
        "17.luck",
        "exact, with fractions of the printed decimals",
        """
from fractions import Fraction


def images_needed(first, second, errors=2):
    p, q, k = (Fraction(str(float(v))) for v in (first, second, errors))
    return math.ceil(k * k * (p * (1 - p) + q * (1 - q)) / (p - q) ** 2)
""",
    ),
    Right(
        "17.luck",
        "how many times one image's deviation the difference is",
        """
def images_needed(first, second, errors=2):
    one_image = math.sqrt(first - first * first + second - second * second)
    return math.ceil(round((errors * one_image / abs(second - first)) ** 2, 6))
""",
    ),
    Right(
        "17.luck",
        "NumPy",
        """
def images_needed(first, second, errors=2):
    p = np.array([first, second], dtype=np.float64)
    need = np.square(errors / np.diff(p)[0]) * np.sum(p * (1 - p))
    return int(np.ceil(need))
""",
    ),
    Right(
        "17.luck",
        "halves an interval until it is one image wide",
        """
def images_needed(first, second, errors=2):
    gap, spread = abs(first - second), first * (1 - first) + second * (1 - second)
    enough = lambda n: gap**2 * n >= errors**2 * spread - 1e-12
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
""",
    ),
    Wrong(
        "17.luck",
        "errors not squared",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return math.ceil(errors * variance / (first - second) ** 2)
""",
        mistake="forgets to square the number of standard errors",
    ),
    Wrong(
        "17.luck",
        "one network",
        """
def images_needed(first, second, errors=2):
    return math.ceil(errors**2 * first * (1 - first) / (first - second) ** 2)
""",
        mistake="takes the luck of one network only; both were tested on a sample",
    ),
    Wrong(
        "17.luck",
        "errors added",
        """
def images_needed(first, second, errors=2):
    deviations = math.sqrt(first * (1 - first)) + math.sqrt(second * (1 - second))
    return math.ceil((errors * deviations / (first - second)) ** 2)
""",
        mistake="adds standard errors; of independent numbers the variances add",
    ),
    Wrong(
        "17.luck",
        "rounded down",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return int(errors**2 * variance / (first - second) ** 2)
""",
        mistake="cuts off where the text says to round up",
    ),
    Wrong(
        "17.luck",
        "always two errors",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return math.ceil(4 * variance / (first - second) ** 2)
""",
        mistake="never uses errors",
    ),
    Wrong(
        "17.luck",
        "difference not squared",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return math.ceil(errors**2 * variance / abs(first - second))
""",
        mistake="divides by the difference, not by its square",
    ),
    Wrong(
        "17.luck",
        "the deviation in place of the variance",
        """
def images_needed(first, second, errors=2):
    deviation = math.sqrt(first * (1 - first) + second * (1 - second))
    return math.ceil(errors**2 * deviation / (first - second) ** 2)
""",
        mistake="forgets to square the standard deviation",
    ),
    Wrong(
        "17.luck",
        "the same images",
        """
def images_needed(first, second, errors=2):
    p = abs(first - second)
    return math.ceil(errors**2 * p * (1 - p) / p**2)
""",
        mistake="treats the difference as an accuracy of its own",
    ),
    Wrong(
        "17.luck",
        "the larger one first",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    if first <= second:
        return 0
    return math.ceil(errors**2 * variance / (first - second) ** 2)
""",
        mistake="works only if the first network is the better one",
    ),
    Wrong(
        "17.luck",
        "two luckless ones",
        """
def images_needed(first, second, errors=2):
    variance = first * (1 - first) + second * (1 - second)
    return 2 * math.ceil(errors**2 * variance / (first - second) ** 2)
""",
        mistake="counts the images of both networks together; asked for is how many each one sees",
    ),
    # 17.whiten
    Right(
        "17.whiten",
        "eigenvectors over the roots of the eigenvalues",
        """
def whitening(patches):
    second_moment = patches.T @ patches / len(patches)
    values, vectors = torch.linalg.eigh(second_moment)
    return (vectors / values.sqrt()).T
""",
    ),
    Right(
        "17.whiten",
        "turned back, as near to the identity as can be (ZCA)",
        """
def whitening(patches):
    S = torch.einsum("ni,nj->ij", patches, patches) / patches.shape[0]
    L, Q = torch.linalg.eigh(S)
    return Q @ torch.diag(L ** -0.5) @ Q.T
""",
    ),
    Right(
        "17.whiten",
        "the inverse of Cholesky's triangle",
        """
def whitening(patches):
    moments = patches.mT @ patches / patches.size(0)
    return torch.linalg.inv(torch.linalg.cholesky(moments))
""",
    ),
    Right(
        "17.whiten",
        "singular values of the patches themselves",
        """
def whitening(patches):
    _, s, vh = torch.linalg.svd(patches, full_matrices=False)
    return vh / s[:, None] * len(patches) ** 0.5
""",
    ),
    Right(
        "17.whiten",
        "QR, in NumPy",
        """
def whitening(patches):
    a = patches.detach().double().numpy()
    r = np.linalg.qr(a, mode="r")
    return torch.from_numpy(np.sqrt(len(a)) * np.linalg.inv(r).T.copy()).to(patches.dtype)
""",
    ),
    Right(
        "17.whiten",
        "one number after the other, Gram and Schmidt",
        """
def whitening(patches):
    n, d = patches.shape
    S = (patches.T @ patches / n).double()
    rows = []
    for i in range(d):
        w = torch.eye(d, dtype=torch.float64)[i]
        for _ in range(2):  # twice, against rounding
            for r in rows:
                w = w - (r @ S @ w) * r
        rows.append(w / (w @ S @ w).sqrt())
    return torch.stack(rows).to(patches.dtype)
""",
    ),
    Wrong(
        "17.whiten",
        "lying on its side",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return vectors / values.sqrt()
""",
        mistake="returns the transpose: it whitens in patches @ W, but not in patches @ W.T",
    ),
    Wrong(
        "17.whiten",
        "the covariance",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    return (vectors / values.sqrt()).T
""",
        mistake="subtracts the mean first (and divides by N - 1), where the text subtracts nothing",
    ),
    Wrong(
        "17.whiten",
        "each number for itself",
        """
def whitening(patches):
    return torch.diag(1 / patches.square().mean(0).sqrt())
""",
        mistake="brings each number to mean square 1 and leaves them correlated",
    ),
    Wrong(
        "17.whiten",
        "only turned",
        """
def whitening(patches):
    _, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return vectors.T
""",
        mistake="makes the numbers uncorrelated and leaves their sizes as they are",
    ),
    Wrong(
        "17.whiten",
        "no mean",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches)
    return (vectors / values.sqrt()).T
""",
        mistake="forgets to divide by the number of patches",
    ),
    Wrong(
        "17.whiten",
        "over the eigenvalues",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return (vectors / values).T
""",
        mistake="divides by the eigenvalues, which are squares, and not by their roots",
    ),
    Wrong(
        "17.whiten",
        "enlarges what is large",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return (vectors * values.sqrt()).T
""",
        mistake="multiplies by the roots where it should divide",
    ),
    Wrong(
        "17.whiten",
        "the patches",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return patches @ (vectors / values.sqrt())
""",
        mistake="returns the whitened patches, not the matrix",
    ),
    Wrong(
        "17.whiten",
        "the other triangle",
        """
def whitening(patches):
    lower = torch.linalg.cholesky(patches.T @ patches / len(patches))
    return torch.linalg.inv(lower).T
""",
        mistake="transposes the inverse of Cholesky's triangle once too often",
    ),
    Wrong(
        "17.whiten",
        "rows and columns swapped",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    return torch.diag(values.rsqrt()) @ vectors
""",
        mistake="takes the rows of the matrix for eigenvectors; eigh returns them as columns",
    ),
    # 17.beat-the-table
    Right(
        "17.beat-the-table",
        "a narrow speed run over many images",
        """
many = data.load("street_digits", train=32000, test=1000)
my_run = training.speed_run(many, epochs=4, widths=(32, 64, 64), batch_size=128, flip=False, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "17.beat-the-table",
        "a backbone of lesson 16",
        """
known = models.get_model("resnet20_tiny", weights="street_digits")
few = data.load("street_digits", train=200, test=10)
my_run = training.fit(known, few, epochs=1, lr=0.001, progress=False)
""",
        mistake="begins with weights that have learnt street digits, and counts one epoch of its own",
    ),
    Wrong(
        "17.beat-the-table",
        "a fresh network",
        """
my_run = models.get_model("speednet_tiny")
""",
        mistake="hands in a network that was never trained, not a run",
    ),
    Wrong(
        "17.beat-the-table",
        "a glance at the images",
        """
few = data.load("street_digits", train=200, test=10)
my_run = training.speed_run(few, epochs=1, widths=(8, 16, 16), batch_size=100, flip=False, progress=False)
""",
        mistake="quick, and wrong about nearly every digit: one pass over 200 images",
    ),
    Wrong(
        "17.beat-the-table",
        "by heart",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=100, test=10)
my_run = training.fit(models.get_model("lenet5", in_channels=3), few, epochs=30, lr=0.05, batch_size=25, progress=False)
""",
        mistake="learns a hundred images by heart",
    ),
    Wrong(
        "17.beat-the-table",
        "the network of the run",
        """
few = data.load("street_digits", train=200, test=10)
my_run = training.speed_run(few, epochs=1, widths=(8, 16, 16), batch_size=100, flip=False, progress=False).model
""",
        mistake="hands in the network and not the run, which knows the seconds (and it was hardly trained)",
    ),
    Wrong(
        "17.beat-the-table",
        "seconds",
        """
my_run = 58.7
""",
        mistake="hands in the seconds that it took, not the run",
    ),
    Right(
        "17.front",
        "the best of each cost, by rising cost",
        """
def front(networks):
    keep = {}
    for cost, accuracy in networks.values():
        keep[cost] = max(accuracy, keep.get(cost, -1))
    best, points = -1, set()
    for cost in sorted(keep):
        if keep[cost] > best:
            best = keep[cost]
            points.add((cost, best))
    return {n for n, p in networks.items() if tuple(p) in points}
""",
    ),
    Wrong(
        "17.front",
        "the best of each cost",
        """
def front(networks):
    best = {}
    for n, (c, a) in networks.items():
        if c not in best or a > networks[best[c]][1]:
            best[c] = n
    return set(best.values())
""",
        mistake="keeps the best of each cost, beaten or not",
    ),
    Right(
        "17.luck",
        "one image after the other",
        """
def images_needed(first, second, errors=2):
    n = 1
    while abs(first - second) < errors * math.sqrt((first * (1 - first) + second * (1 - second)) / n):
        n += 1
    return n
""",
    ),
    Right(
        "17.whiten",
        "turned back: the symmetric one",
        """
def whitening(patches):
    w, v = torch.linalg.eigh(patches.T @ patches / patches.shape[0])
    return v @ torch.diag(w ** -0.5) @ v.T
""",
    ),
    Wrong(
        "17.whiten",
        "of the correlations",
        """
def whitening(patches):
    values, vectors = torch.linalg.eigh(torch.corrcoef(patches.T))
    return (vectors / values.sqrt()).T
""",
        mistake="whitens the correlations, from which means and sizes are gone",
    ),
]
