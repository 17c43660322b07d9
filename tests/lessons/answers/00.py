"""Answers of learners to the exercises of lesson 00, in many styles, written without looking at the checks.

Names of the lesson that are used: `dataset`.
"""

from answers import Right, Wrong

ANSWERS = [
    Right("00.chance", "the logarithm", "chance_loss = math.log(10)"),
    Right("00.chance", "the definition, minus the logarithm of the probability", "chance_loss = -math.log(1 / 10)"),
    Right("00.chance", "typed from a calculator", "chance_loss = 2.302585"),
    Right("00.chance", "a tensor without dimensions", "chance_loss = torch.log(torch.tensor(10.0))"),
    Right(
        "00.chance",
        "a tensor of one number in double precision",
        "chance_loss = -torch.tensor([0.1], dtype=torch.float64).log()",
    ),
    Right(
        "00.chance",
        "a NumPy number",
        """
import numpy as np

chance_loss = np.log(10)
""",
    ),
    Right(
        "00.chance",
        "PyTorch's own function on equal logits",
        """
logits = torch.zeros(1, 10)
chance_loss = torch.nn.functional.cross_entropy(logits, torch.tensor([3]))
""",
    ),
    Right(
        "00.chance",
        "the expectation over ten equally likely labels",
        """
p = [0.1] * 10
chance_loss = 0
for q in p:
    chance_loss -= q * math.log(q)
""",
    ),
    Right(
        "00.chance",
        "a natural logarithm by way of another base",
        "chance_loss = math.log2(10) / math.log2(math.e)",
    ),
    Wrong(
        "00.chance",
        "binary logarithm",
        "chance_loss = math.log2(10)",
        mistake="counts in bits, where PyTorch counts in nats",
    ),
    Wrong(
        "00.chance",
        "decimal logarithm",
        "chance_loss = math.log10(10)",
        mistake="takes the logarithm to the base of ten, where PyTorch takes the natural one",
    ),
    Wrong(
        "00.chance",
        "no minus",
        "chance_loss = math.log(1 / 10)",
        mistake="forgets the minus: the logarithm of a probability is negative, a loss is not",
    ),
    Wrong(
        "00.chance",
        "the probability itself",
        "chance_loss = 1 / 10",
        mistake="gives the probability of the right class, not minus its logarithm",
    ),
    Wrong(
        "00.chance",
        "the share of mistakes",
        "chance_loss = 1 - 1 / 10",
        mistake="gives the error rate of a guess, not its cross-entropy",
    ),
    Wrong(
        "00.chance",
        "one term of the sum",
        "chance_loss = -0.1 * math.log(0.1)",
        mistake="takes one of the ten equal terms of the expectation for all of it",
    ),
    Wrong(
        "00.chance",
        "the mean over the classes of a binary cross-entropy",
        "chance_loss = -(math.log(0.1) + 9 * math.log(0.9)) / 10",
        mistake="asks ten yes-or-no questions (binary cross-entropy) where there is one question with ten answers",
    ),
    Wrong(
        "00.chance",
        "probabilities handed over as logarithms",
        """
probabilities = torch.full((1, 10), 0.1)
chance_loss = torch.nn.functional.nll_loss(probabilities, torch.tensor([0]))
""",
        mistake="gives nll_loss probabilities, which takes their logarithms",
    ),
    Wrong(
        "00.chance",
        "a logit for the right class",
        """
logits = torch.full((1, 10), 0.1)
logits[0, 3] = 1
chance_loss = torch.nn.functional.cross_entropy(logits, torch.tensor([3]))
""",
        mistake="lets the right class have a larger logit than the others: such a network knows something",
    ),
    Right(
        "00.normalise",
        "broadcasting",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean).view(1, 3, 1, 1)
    std = torch.tensor(std).view(1, 3, 1, 1)
    return (images / 255 - mean) / std
""",
    ),
    Right(
        "00.normalise",
        "a loop over the channels, in place on its own copy",
        """
def normalise(images, mean, std):
    x = images.float() / 255
    for channel in range(3):
        x[:, channel] -= mean[channel]
        x[:, channel] /= std[channel]
    return x
""",
    ),
    Right(
        "00.normalise",
        "a comprehension and stack",
        """
def normalise(images, mean, std):
    planes = [(images[:, i].float() / 255 - m) / s for i, (m, s) in enumerate(zip(mean, std))]
    return torch.stack(planes, dim=1)
""",
    ),
    Right(
        "00.normalise",
        "double precision, one factor and one summand",
        """
def normalise(images, mean, std):
    m, s = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (mean, std))
    return images.double() * (1 / (255 * s)) - m / s
""",
    ),
    Right(
        "00.normalise",
        "NumPy inside, a tensor outside",
        """
import numpy as np

def normalise(images, mean, std):
    x = images.numpy().astype(np.float32) / 255
    x = (x - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    return torch.from_numpy(x)
""",
    ),
    Right(
        "00.normalise",
        "channels last, so that three numbers broadcast by themselves",
        """
def normalise(batch, mu, sigma):
    pixels = batch.permute(0, 2, 3, 1) / 255.0
    scaled = (pixels - torch.tensor(mu)) / torch.tensor(sigma)
    return scaled.permute(0, 3, 1, 2)
""",
    ),
    Right(
        "00.normalise",
        "torchvision",
        """
from torchvision.transforms import functional

def normalise(images, mean, std):
    return functional.normalize(images.float().div(255), list(mean), list(std))
""",
    ),
    Right(
        "00.normalise",
        "a lambda and einsum",
        """
channelwise = lambda x, v: torch.einsum("nchw,c->nchw", x, torch.tensor(v))
shifted = lambda images, mean: images / 255 - torch.tensor(mean)[None, :, None, None]
normalise = lambda images, mean, std: channelwise(shifted(images, mean), [1 / s for s in std])
""",
    ),
    Wrong(
        "00.normalise",
        "bytes left as they are",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean).view(1, 3, 1, 1)
    std = torch.tensor(std).view(1, 3, 1, 1)
    return (images.float() - mean) / std
""",
        mistake="does not bring the bytes to 0 to 1 before it subtracts a mean of that scale",
    ),
    Wrong(
        "00.normalise",
        "divides by 256",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean).view(1, 3, 1, 1)
    std = torch.tensor(std).view(1, 3, 1, 1)
    return (images / 256 - mean) / std
""",
        mistake="divides by 256, so that white is not 1: the largest byte is 255",
    ),
    Wrong(
        "00.normalise",
        "the first channel's numbers for all",
        """
def normalise(images, mean, std):
    return (images / 255 - mean[0]) / std[0]
""",
        mistake="takes the mean and the standard deviation of the first channel for all three",
    ),
    Wrong(
        "00.normalise",
        "divides before it subtracts",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean)[:, None, None]
    std = torch.tensor(std)[:, None, None]
    return images / 255 / std - mean
""",
        mistake="divides by the standard deviation before it subtracts the mean, which then has another scale",
    ),
    Wrong(
        "00.normalise",
        "the variance",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean)[:, None, None]
    std = torch.tensor(std)[:, None, None]
    return (images / 255 - mean) / std**2
""",
        mistake="divides by the variance, not by the standard deviation",
    ),
    Wrong(
        "00.normalise",
        "whole numbers",
        """
def normalise(images, mean, std):
    mean = torch.tensor(mean)[:, None, None]
    std = torch.tensor(std)[:, None, None]
    return (images // 255 - mean) / std
""",
        mistake="divides without a remainder (//), which makes every pixel but pure white 0",
    ),
    Wrong(
        "00.normalise",
        "the wrong axis",
        """
def normalise(images, mean, std):
    return (images / 255 - torch.tensor(mean)) / torch.tensor(std)
""",
        mistake="lets three numbers broadcast along the width, not along the channels: an error but for three columns",
    ),
    Wrong(
        "00.normalise",
        "statistics of its own",
        """
def normalise(images, mean, std):
    x = images / 255
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
""",
        mistake="uses the statistics of the images at hand, not those that it was given",
    ),
    Wrong(
        "00.normalise",
        "a list of channels",
        """
def normalise(images, mean, std):
    for c in range(3):
        channel = images[:, c] / 255
        channel = (channel - mean[c]) / std[c]
    return channel
""",
        mistake="overwrites its result in the loop and returns the last channel alone",
    ),
    Wrong(
        "00.normalise",
        "written back into bytes",
        """
def normalise(images, mean, std):
    result = torch.zeros_like(images)
    for c in range(3):
        result[:, c] = (images[:, c] / 255 - mean[c]) / std[c]
    return result
""",
        mistake="writes into a copy of type uint8, which holds neither fractions nor negatives",
    ),
    Wrong(
        "00.normalise",
        "no return",
        """
def normalise(images, mean, std):
    x = images / 255
    x = (x - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    print(x.mean(), x.std())
""",
        mistake="prints and returns nothing",
    ),
    Wrong(
        "00.normalise",
        "changes the caller's images",
        """
def normalise(images, mean, std):
    x = images / 255
    images.zero_()  # to save memory
    return (x - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
""",
        mistake="overwrites the images that it was given",
    ),
    Right(
        "00.accuracy",
        "argmax and mean, a tensor without dimensions",
        """
def accuracy(logits, labels):
    return (logits.argmax(dim=1) == labels).float().mean()
""",
    ),
    Right(
        "00.accuracy",
        "a Python number",
        """
def accuracy(logits, labels):
    right = (logits.max(1).indices == labels).sum().item()
    return right / len(labels)
""",
    ),
    Right(
        "00.accuracy",
        "a loop in plain Python",
        """
def accuracy(logits, labels):
    hits = 0
    for row, label in zip(logits.tolist(), labels.tolist()):
        best = max(range(len(row)), key=lambda i: row[i])
        if best == label:
            hits += 1
    return hits / len(labels.tolist())
""",
    ),
    Right(
        "00.accuracy",
        "NumPy",
        """
import numpy as np

def accuracy(logits, labels):
    return np.mean(np.argmax(logits.numpy(), axis=1) == labels.numpy())
""",
    ),
    Right(
        "00.accuracy",
        "topk, a lambda",
        "accuracy = lambda logits, labels: (logits.topk(1).indices[:, 0] == labels).double().mean()",
    ),
    Right(
        "00.accuracy",
        "is the label's logit the largest?",
        """
def accuracy(logits, labels):
    own = logits[torch.arange(len(labels)), labels]
    return (own == logits.amax(dim=-1)).sum() / labels.numel()
""",
    ),
    Right(
        "00.accuracy",
        "one-hot vectors and an outer helper",
        """
def first_guesses(logits):
    return logits.softmax(dim=1).argmax(dim=1)

def accuracy(logits, labels):
    classes = logits.shape[1]
    guessed, wanted = (torch.nn.functional.one_hot(v, classes) for v in (first_guesses(logits), labels))
    return float((guessed * wanted).sum(1).float().mean())
""",
    ),
    Wrong(
        "00.accuracy",
        "percent",
        """
def accuracy(logits, labels):
    return 100 * (logits.argmax(1) == labels).float().mean()
""",
        mistake="returns percent, not a share from 0 to 1",
    ),
    Wrong(
        "00.accuracy",
        "the count",
        """
def accuracy(logits, labels):
    return (logits.argmax(1) == labels).sum()
""",
        mistake="counts the right answers and does not divide by the number of images",
    ),
    Wrong(
        "00.accuracy",
        "whole numbers",
        """
def accuracy(logits, labels):
    return (logits.argmax(1) == labels).sum().item() // len(labels)
""",
        mistake="divides without a remainder (//), so that all but a perfect score is 0",
    ),
    Wrong(
        "00.accuracy",
        "the wrong axis",
        """
def accuracy(logits, labels):
    guesses = logits.argmax(dim=0)
    return (guesses == labels[: len(guesses)]).float().mean()
""",
        mistake="takes the largest logit over the images (dim 0), not over the classes",
    ),
    Wrong(
        "00.accuracy",
        "the error rate",
        """
def accuracy(logits, labels):
    return (logits.argmax(1) != labels).float().mean()
""",
        mistake="returns the share of wrong guesses",
    ),
    Wrong(
        "00.accuracy",
        "broadcasts to a square",
        """
def accuracy(logits, labels):
    guesses = logits.argmax(1, keepdim=True)
    return (guesses == labels).float().mean()
""",
        mistake="compares (N, 1) with (N,), which compares every guess with every label",
    ),
    Wrong(
        "00.accuracy",
        "divides by the classes",
        """
def accuracy(logits, labels):
    return (logits.argmax(1) == labels).sum() / logits.shape[1]
""",
        mistake="divides by the number of classes, not of images",
    ),
    Wrong(
        "00.accuracy",
        "flat argmax",
        """
def accuracy(logits, labels):
    return (logits.argmax() == labels).float().mean()
""",
        mistake="takes one argmax of the whole table: a single guess for all images",
    ),
    Wrong(
        "00.accuracy",
        "the probability of the label",
        """
def accuracy(logits, labels):
    return logits.softmax(1)[torch.arange(len(labels)), labels].mean()
""",
        mistake="averages how probable the right class is, and does not count how often it comes first",
    ),
    Wrong(
        "00.accuracy",
        "prints",
        """
def accuracy(logits, labels):
    print((logits.argmax(1) == labels).float().mean().item())
""",
        mistake="prints the share and returns nothing",
    ),
    Right(
        "00.better",
        "the ResNet for twice as long",
        """
torch.manual_seed(0)
my_run = training.fit(models.get_model("resnet20_tiny"), dataset, epochs=8, lr=0.2, batch_size=64, progress=False)
""",
        slow=True,
    ),
    Wrong(
        "00.better",
        "a network that was never trained",
        """
torch.manual_seed(0)
my_run = models.get_model("resnet20_tiny").eval()
""",
        mistake="gives the network as it was initialised: it guesses",
    ),
    Wrong(
        "00.better",
        "LeNet-5 once more, one epoch",
        """
torch.manual_seed(0)
my_run = training.fit(
    models.get_model("lenet5", in_channels=3), dataset, epochs=1, lr=0.05, batch_size=64, progress=False
)
""",
        mistake="trains far too little: it reads less than half of the digits",
    ),
    Wrong(
        "00.better",
        "another data set",
        """
torch.manual_seed(0)
handwritten = data.load("handwritten", train=400, test=100).in_rgb()
my_run = training.fit(
    models.get_model("lenet5", in_channels=3), handwritten, epochs=3, lr=0.05, batch_size=16, progress=False
)
""",
        mistake="learns handwritten digits, which are much easier and not what is asked for",
    ),
    Wrong(
        "00.better",
        "a wish",
        "my_run = 0.93",
        mistake="gives a figure and no trained network whose figure it could be",
    ),
    Wrong(
        "00.better",
        "labels in another order",
        """
from dataclasses import replace

torch.manual_seed(0)
few = data.load("street_digits", train=256, test=100)
few = replace(few, train=replace(few.train, labels=few.train.labels[torch.randperm(256)]))
my_run = training.fit(models.get_model("resnet20_tiny"), few, epochs=2, lr=0.1, batch_size=64, progress=False)
""",
        mistake="trains on labels that do not belong to their images",
    ),
    Wrong(
        "00.better",
        "how well it knows what it was shown",
        """
torch.manual_seed(0)
small = data.load("street_digits", train=64, test=64)
net = models.get_model("lenet5", in_channels=3)
training.fit(net, small, epochs=20, lr=0.05, batch_size=16, progress=False)
my_run = training.evaluate(net, small.train)
""",
        mistake="gives the accuracy on the images it was trained on, and not a run with its network",
    ),
    Right(
        "00.training-loop",
        "a DataLoader that shuffles",
        """
from torch.utils.data import DataLoader, TensorDataset

def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    tot=0
    n=0
    for x,y in DataLoader(TensorDataset(inputs,labels),batch_size,shuffle=True):
        l=F.cross_entropy(model(x),y)
        optimizer.zero_grad()
        l.backward()
        optimizer.step()
        tot+=l.item()
        n+=1
    return tot/n
""",
    ),
    Right(
        "00.training-loop",
        "a shuffled list, a loss module, a tensor returned",
        """
import random

def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    idx=list(range(len(labels)))
    random.shuffle(idx)
    out=[]
    crit=torch.nn.CrossEntropyLoss()
    for i in range(0,len(idx),batch_size):
        k=idx[i:i+batch_size]
        optimizer.zero_grad()
        l=crit(model(inputs[k]),labels[k])
        l.backward()
        optimizer.step()
        out.append(l.detach())
    return torch.stack(out).mean()
""",
    ),
    Right(
        "00.training-loop",
        "NumPy's permutation, log-softmax, model.zero_grad",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train(True)
    p=np.random.permutation(len(labels))
    s=[]
    for k in np.array_split(p, -(-len(p)//batch_size)):
        model.zero_grad()
        l=F.nll_loss(F.log_softmax(model(inputs[k]),1),labels[k])
        l.backward()
        optimizer.step()
        s.append(float(l))
    return np.mean(s)
""",
    ),
    Wrong(
        "00.training-loop",
        "sums the loss over the batch",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    out=[]
    for b in torch.randperm(len(labels)).split(batch_size):
        l=F.cross_entropy(model(inputs[b]),labels[b],reduction="sum")
        optimizer.zero_grad()
        l.backward()
        optimizer.step()
        out.append(l.item())
    return sum(out)/len(out)
""",
        mistake="the gradient is that of the sum, so the step is as many times too large as the batch has images",
    ),
    Wrong(
        "00.training-loop",
        "uses all images in each step",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    out=[]
    for b in torch.randperm(len(labels)).split(batch_size):
        l=F.cross_entropy(model(inputs),labels)
        optimizer.zero_grad()
        l.backward()
        optimizer.step()
        out.append(l.item())
    return sum(out)/len(out)
""",
        mistake="each step is made with all images, not with a batch",
    ),
    Wrong(
        "00.training-loop",
        "softmax before the cross-entropy",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    out=[]
    for b in torch.randperm(len(labels)).split(batch_size):
        l=F.cross_entropy(F.softmax(model(inputs[b]),1),labels[b])
        optimizer.zero_grad()
        l.backward()
        optimizer.step()
        out.append(l.item())
    return sum(out)/len(out)
""",
        mistake="cross_entropy takes logits, and applies the softmax itself",
    ),
    Wrong(
        "00.training-loop",
        "two random orders",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    out=[]
    x,y=inputs[torch.randperm(len(labels))],labels[torch.randperm(len(labels))]
    for i in range(0,len(y),batch_size):
        l=F.cross_entropy(model(x[i:i+batch_size]),y[i:i+batch_size])
        optimizer.zero_grad()
        l.backward()
        optimizer.step()
        out.append(l.item())
    return sum(out)/len(out)
""",
        mistake="images and labels are shuffled separately, so that they no longer belong together",
    ),
    Right(
        "00.chance",
        "the cross-entropy of a batch of NumPy probabilities",
        """
import numpy as np

probabilities = np.full((5, 10), 0.1, dtype=np.float32)
chance_loss = -np.log(probabilities[np.arange(5), [1, 2, 3, 4, 5]]).mean()
""",
    ),
    Wrong(
        "00.chance",
        "the number of classes plus one",
        "chance_loss = math.log1p(10)",
        mistake="takes the logarithm of 11",
    ),
    Wrong(
        "00.chance",
        "the perplexity",
        "chance_loss = math.exp(math.log(10))",
        mistake="takes the logarithm back: 10 is the perplexity",
    ),
    Right(
        "00.normalise",
        "in place on a float copy, an array returned",
        """
import numpy as np

def normalise(images, mean, std):
    x = images.numpy().astype(np.float64)
    x /= 255
    x -= np.asarray(mean)[None, :, None, None]
    return x / np.asarray(std)[None, :, None, None]
""",
    ),
    Right(
        "00.normalise",
        "one matrix product over the channels, with the statistics scaled to bytes",
        """
def normalise(images, mean, std):
    m, s = 255 * torch.tensor(mean), 255 * torch.tensor(std)
    return torch.einsum("dc,nchw->ndhw", torch.diag(1 / s), images - m.reshape(1, 3, 1, 1))
""",
    ),
    Wrong(
        "00.normalise",
        "blue, green, red",
        """
def normalise(images, mean, std):
    m, s = (torch.tensor(v[::-1]).view(3, 1, 1) for v in (mean, std))
    return (images / 255 - m) / s
""",
        mistake="matches the statistics with the channels in the opposite order",
    ),
    Wrong(
        "00.normalise",
        "the mean in bytes, the standard deviation not",
        """
def normalise(images, mean, std):
    m, s = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
    return (images - 255 * m) / s
""",
        mistake="scales the mean to bytes but not the standard deviation: 255 times too large",
    ),
    Wrong(
        "00.normalise",
        "cut off below zero",
        """
def normalise(images, mean, std):
    m, s = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
    return ((images / 255 - m) / s).clamp(0, 1)
""",
        mistake="clips the result to values from 0 to 1",
    ),
    Right(
        "00.accuracy",
        "sorts, and divides two integers",
        """
def accuracy(logits, labels):
    last = logits.argsort(dim=1)[:, -1]
    n = len(labels)
    return sum(int(a) == int(b) for a, b in zip(last, labels)) / n
""",
    ),
    Right(
        "00.accuracy",
        "einsum with one-hot labels, single precision of NumPy",
        """
import numpy as np

def accuracy(logits, labels):
    top = (logits == logits.amax(1, keepdim=True)).float()
    hits = torch.einsum("nc,nc->", top, torch.eye(logits.shape[1])[labels])
    return np.float32(hits.item() / len(labels))
""",
    ),
    Wrong(
        "00.accuracy",
        "either of the two largest",
        """
def accuracy(logits, labels):
    return (logits.topk(2).indices == labels[:, None]).any(1).float().mean()
""",
        mistake="counts an image as right when its label is one of the two largest logits",
    ),
    Wrong(
        "00.accuracy",
        "all or nothing",
        """
def accuracy(logits, labels):
    return (logits.argmax(1) == labels).all().float()
""",
        mistake="asks whether all are right",
    ),
    Wrong(
        "00.accuracy",
        "a mean over the classes",
        """
def accuracy(logits, labels):
    hits = (logits.argmax(1) == labels).float()
    return torch.stack([hits[labels == c].mean() for c in labels.unique()]).mean()
""",
        mistake="averages the accuracy of each class, which weighs rare classes like common ones",
    ),
    Right(
        "00.training-loop",
        "a closure given to the optimizer",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    total, batches = 0.0, 0
    for batch in torch.randperm(len(labels)).split(batch_size):
        def closure():
            optimizer.zero_grad(set_to_none=False)
            loss = F.cross_entropy(model(inputs[batch]), labels[batch])
            loss.backward()
            return loss
        total += float(optimizer.step(closure))
        batches += 1
    return total / batches
""",
    ),
    Right(
        "00.training-loop",
        "shuffled copies, while there is a rest, gradients cleared after the step",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    optimizer.zero_grad()
    order = torch.rand(len(labels)).argsort()
    x, y, losses = inputs[order], labels[order], []
    while len(y):
        loss = -model(x[:batch_size]).log_softmax(1).gather(1, y[:batch_size, None]).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach().numpy())
        x, y = x[batch_size:], y[batch_size:]
    return np.mean(losses)
""",
    ),
    Wrong(
        "00.training-loop",
        "clears the gradients between backward and step",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    losses = []
    for batch in torch.randperm(len(labels)).split(batch_size):
        loss = F.cross_entropy(model(inputs[batch]), labels[batch])
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
""",
        mistake="throws the gradients away before the step",
    ),
    Wrong(
        "00.training-loop",
        "the same seed in every epoch",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    losses = []
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    for batch in order.split(batch_size):
        loss = F.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
""",
        mistake="draws the same order in every epoch",
    ),
    Wrong(
        "00.training-loop",
        "batches drawn with replacement",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    losses = []
    for _ in range(-(-len(labels) // batch_size)):
        batch = torch.randint(len(labels), (batch_size,))
        loss = F.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
""",
        mistake="draws some images twice and others never",
    ),
    Wrong(
        "00.training-loop",
        "without gradients",
        """
def train_epoch(model, inputs, labels, optimizer, batch_size):
    model.train()
    losses = []
    for batch in torch.randperm(len(labels)).split(batch_size):
        with torch.no_grad():
            loss = F.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
""",
        mistake="computes the loss without recording what its gradient needs",
    ),
    Wrong(
        "00.better",
        "the table of the epochs",
        """
torch.manual_seed(0)
few = data.load("street_digits", train=64, test=64)
my_run = training.fit(models.get_model("lenet5", in_channels=3), few, epochs=1, lr=0.05, progress=False).history
""",
        mistake="gives the history of a run, in which there is no network",
    ),
]
