"""Answers of learners to the exercises of lesson 16, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 16.head
    Right(
        "16.head",
        "by index",
        """
def new_head(model, classes):
    model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
    return model
""",
    ),
    Right(
        "16.head",
        "the course's own function",
        """
def new_head(model, classes):
    return training.replace_head(model, classes)
""",
    ),
    Right(
        "16.head",
        "looks for the last linear layer by name",
        """
def new_head(model, classes):
    name, old = [(n, m) for n, m in model.head.named_children() if isinstance(m, nn.Linear)][-1]
    layer = nn.Linear(old.weight.shape[1], classes, bias=old.bias is not None)
    setattr(model.head, name, layer.to(device=old.weight.device, dtype=old.weight.dtype))
    return model
""",
    ),
    Right(
        "16.head",
        "a new Sequential from the old parts",
        """
def new_head(model, classes):
    *body, last = model.head
    model.head = nn.Sequential(*body, nn.Linear(last.in_features, classes))
    return model
""",
    ),
    Right(
        "16.head",
        "pop and append, weights at zero",
        """
def new_head(net, n):
    fan_in = net.head[-1].in_features
    net.head.pop(-1)
    fresh = nn.Linear(fan_in, n)
    nn.init.zeros_(fresh.weight)
    nn.init.zeros_(fresh.bias)
    net.head.append(fresh)
    return net
""",
    ),
    Wrong(
        "16.head",
        "forgets return",
        """
def new_head(model, classes):
    model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
""",
        mistake="changes the network and returns None",
    ),
    Wrong(
        "16.head",
        "the whole head",
        """
def new_head(model, classes):
    model.head = nn.Linear(model.head[-1].in_features, classes)
    return model
""",
        mistake="replaces the whole head, with its pooling, by a linear layer",
    ),
    Wrong(
        "16.head",
        "32 features",
        """
def new_head(model, classes):
    model.head[-1] = nn.Linear(32, classes)
    return model
""",
        mistake="has the 32 features of this backbone built in",
    ),
    Wrong(
        "16.head",
        "the first linear layer",
        """
def new_head(model, classes):
    for i, layer in enumerate(model.head):
        if isinstance(layer, nn.Linear):
            model.head[i] = nn.Linear(layer.in_features, classes)
            break
    return model
""",
        mistake="replaces the first linear layer of the head; VGG has three, and the last one counts",
    ),
    Wrong(
        "16.head",
        "one more layer",
        """
def new_head(model, classes):
    model.head.append(nn.Linear(model.head[-1].out_features, classes))
    return model
""",
        mistake="puts a layer behind the old one, so that the new task sees ten logits and not the features",
    ),
    Wrong(
        "16.head",
        "only the number",
        """
def new_head(model, classes):
    model.head[-1].out_features = classes
    return model
""",
        mistake="changes the number that the layer prints; its weights stay ten rows",
    ),
    Wrong(
        "16.head",
        "torchvision's name",
        """
def new_head(model, classes):
    model.fc = nn.Linear(model.head[-1].in_features, classes)
    return model
""",
        mistake="hangs a layer called fc on the network, which its forward pass never calls",
    ),
    Wrong(
        "16.head",
        "the layer",
        """
def new_head(model, classes):
    model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
    return model.head[-1]
""",
        mistake="returns the new layer, not the network",
    ),
    Wrong(
        "16.head",
        "starts everything anew",
        """
def new_head(model, classes):
    model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
    for layer in model.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return model
""",
        mistake="draws all weights anew, and the backbone has forgotten what it learnt",
    ),
    Wrong(
        "16.head",
        "freezes the rest",
        """
def new_head(model, classes):
    model.requires_grad_(False)
    model.head[-1] = nn.Linear(model.head[-1].in_features, classes)
    return model
""",
        mistake="freezes the rest of the network, where nothing else was to be changed",
    ),
    # 16.probe
    Right(
        "16.probe",
        "probabilities minus one-hot",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    p = torch.softmax(features @ weight.T + bias, dim=1)
    error = p - F.one_hot(labels, len(weight))
    return error.T @ features / n + weight / (strength * n)
""",
    ),
    Right(
        "16.probe",
        "fancy indexing on a clone",
        """
def probe_gradient(features, labels, weight, bias, strength):
    N = features.shape[0]
    error = F.linear(features, weight, bias).softmax(1).clone()
    error[torch.arange(N), labels] -= 1
    return (error.t().mm(features) + weight / strength) / N
""",
    ),
    Right(
        "16.probe",
        "image by image, with outer products",
        """
def probe_gradient(features, labels, weight, bias, strength):
    total = torch.zeros_like(weight)
    for f, y in zip(features, labels):
        z = weight @ f + bias
        p = torch.exp(z - z.max())
        p = p / p.sum()
        p[y] -= 1
        total += torch.outer(p, f)
    return total / len(labels) + weight / (strength * len(labels))
""",
    ),
    Right(
        "16.probe",
        "einsum and log-softmax",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n, classes = len(labels), weight.shape[0]
    p = torch.log_softmax(torch.einsum("nf,cf->nc", features, weight) + bias, -1).exp()
    right = (labels[:, None] == torch.arange(classes)).to(p.dtype)
    return torch.einsum("nc,nf->cf", p - right, features) / n + weight / strength / n
""",
    ),
    Right(
        "16.probe",
        "NumPy inside",
        """
def probe_gradient(features, labels, weight, bias, strength):
    f, w, b = (t.detach().double().numpy() for t in (features, weight, bias))
    z = f @ w.T + b
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(f)), labels.numpy()] -= 1
    return torch.from_numpy((p.T @ f + w / strength) / len(f)).to(weight.dtype)
""",
    ),
    Wrong(
        "16.probe",
        "autograd",
        """
def probe_gradient(features, labels, weight, bias, strength):
    w = weight.detach().clone().requires_grad_()
    loss = F.cross_entropy(features @ w.T + bias, labels) + w.square().sum() / (2 * strength * len(features))
    return torch.autograd.grad(loss, w)[0]
""",
        mistake="lets autograd do what was to be done by hand",
    ),
    Wrong(
        "16.probe",
        "autograd by another name",
        """
def probe_gradient(features, labels, weight, bias, strength):
    def loss(w):
        return F.cross_entropy(features @ w.T + bias, labels) + w.square().sum() / (2 * strength * len(features))
    return torch.func.grad(loss)(weight)
""",
        mistake="torch.func.grad is autograd too",
    ),
    Wrong(
        "16.probe",
        "the sum",
        """
def probe_gradient(features, labels, weight, bias, strength):
    error = torch.softmax(features @ weight.T + bias, dim=1) - F.one_hot(labels, len(weight))
    return error.T @ features + weight / (strength * len(features))
""",
        mistake="sums over the images where the loss is a mean",
    ),
    Wrong(
        "16.probe",
        "no penalty",
        """
def probe_gradient(features, labels, weight, bias, strength):
    error = torch.softmax(features @ weight.T + bias, dim=1) - F.one_hot(labels, len(weight))
    return error.T @ features / len(features)
""",
        mistake="forgets the penalty on the weights",
    ),
    Wrong(
        "16.probe",
        "half a penalty",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = torch.softmax(features @ weight.T + bias, dim=1) - F.one_hot(labels, len(weight))
    return error.T @ features / n + weight / (2 * strength * n)
""",
        mistake="forgets that the square's derivative cancels the two",
    ),
    Wrong(
        "16.probe",
        "no bias",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = torch.softmax(features @ weight.T, dim=1) - F.one_hot(labels, len(weight))
    return error.T @ features / n + weight / (strength * n)
""",
        mistake="leaves the bias out of the logits",
    ),
    Wrong(
        "16.probe",
        "downhill",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = F.one_hot(labels, len(weight)) - torch.softmax(features @ weight.T + bias, dim=1)
    return error.T @ features / n - weight / (strength * n)
""",
        mistake="returns the direction of the step, the negative gradient",
    ),
    Wrong(
        "16.probe",
        "lying on its side",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = torch.softmax(features @ weight.T + bias, dim=1) - F.one_hot(labels, len(weight))
    return features.T @ error / n + weight.T / (strength * n)
""",
        mistake="returns (F, classes), the transpose of weight's shape",
    ),
    Wrong(
        "16.probe",
        "softmax over the images",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = torch.softmax(features @ weight.T + bias, dim=0) - F.one_hot(labels, len(weight))
    return error.T @ features / n + weight / (strength * n)
""",
        mistake="takes the softmax over the images, not over the classes",
    ),
    Wrong(
        "16.probe",
        "strength upside down",
        """
def probe_gradient(features, labels, weight, bias, strength):
    n = len(features)
    error = torch.softmax(features @ weight.T + bias, dim=1) - F.one_hot(labels, len(weight))
    return error.T @ features / n + strength * weight / n
""",
        mistake="multiplies by the strength; a strength of 1 hides it",
    ),
    # 16.freeze
    Right(
        "16.freeze",
        "all off, then the head on",
        """
def only_the_head(model):
    model.requires_grad_(False)
    model.eval()
    model.head.requires_grad_(True)
    model.head.train()
""",
    ),
    Right(
        "16.freeze",
        "part by part, and hands the network back as model.train() does",
        """
def only_the_head(model):
    for part in (model.stem, model.stages):
        for parameter in part.parameters():
            parameter.requires_grad = False
        part.train(False)
    for parameter in model.head.parameters():
        parameter.requires_grad = True
    model.head.train(True)
    return model
""",
    ),
    Right(
        "16.freeze",
        "the course's freeze, then the modes",
        """
def only_the_head(model):
    training.freeze(model)
    model.train()
    model.stem.eval()
    model.stages.eval()
    return model
""",
    ),
    Right(
        "16.freeze",
        "by the parameters' names",
        """
def only_the_head(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("head."))
    for name, module in model.named_children():
        module.train(mode=(name == "head"))
""",
    ),
    Right(
        "16.freeze",
        "train mode for all, eval for every batch norm and dropout outside of the head",
        """
def only_the_head(model):
    model.train()
    inside = set(model.head.modules())
    for module in model.modules():
        if module not in inside and not list(module.children()):
            module.eval()
    for p in model.parameters():
        p.requires_grad = False
    for p in model.head.parameters():
        p.requires_grad = True
    return model
""",
    ),
    Wrong(
        "16.freeze",
        "gradients only",
        """
def only_the_head(model):
    model.train()
    model.requires_grad_(False)
    model.head.requires_grad_(True)
""",
        mistake="turns the gradients off but leaves the batch norms in training mode, where their statistics move",
    ),
    Wrong(
        "16.freeze",
        "modes only",
        """
def only_the_head(model):
    model.eval()
    model.head.train()
""",
        mistake="stops the statistics, not the weights",
    ),
    Wrong(
        "16.freeze",
        "everything",
        """
def only_the_head(model):
    model.eval()
    model.requires_grad_(False)
""",
        mistake="freezes the head too, so that nothing is left to learn",
    ),
    Wrong(
        "16.freeze",
        "the stem forgotten",
        """
def only_the_head(model):
    model.train()
    model.stages.requires_grad_(False)
    model.stages.eval()
""",
        mistake="forgets the stem, with its convolution and its batch norm",
    ),
    Wrong(
        "16.freeze",
        "train() at the end",
        """
def only_the_head(model):
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    model.stem.eval()
    model.stages.eval()
    return model.train()
""",
        mistake="calls train() last, which puts everything back into training mode",
    ),
    Wrong(
        "16.freeze",
        "assigns to a module",
        """
def only_the_head(model):
    model.eval()
    model.stem.requires_grad = False
    model.stages.requires_grad = False
    model.head.train()
""",
        mistake="sets requires_grad on modules, which only gives them an attribute that nobody reads",
    ),
    Wrong(
        "16.freeze",
        "the batch norms' weights",
        """
def only_the_head(model):
    model.train()
    for name, p in model.named_parameters():
        p.requires_grad = "head" in name
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.requires_grad_(False)
            m.bias.requires_grad_(False)
    return model
""",
        mistake="freezes the batch norms' weights and believes that this stops their running statistics",
    ),
    Wrong(
        "16.freeze",
        "a frozen copy",
        """
def only_the_head(model):
    model = copy.deepcopy(model).eval()
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    model.head.train()
    return model
""",
        mistake="prepares a copy and leaves the network that is trained as it was",
    ),
    # 16.difference
    Right(
        "16.difference",
        "the statistics module",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.stdev(gains) / len(gains) ** 0.5
""",
    ),
    Right(
        "16.difference",
        "NumPy with one degree of freedom less",
        """
def difference(first, second):
    d = np.asarray(first) - np.asarray(second)
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))
""",
    ),
    Right(
        "16.difference",
        "torch in float64, as plain numbers",
        """
def difference(first, second):
    d = torch.tensor([x - y for x, y in zip(first, second, strict=True)], dtype=torch.float64)
    return d.mean().item(), (d.std() / math.sqrt(d.numel())).item()
""",
    ),
    Right(
        "16.difference",
        "sums by hand",
        """
def difference(first, second):
    n = len(first)
    mean = 0
    for i in range(n):
        mean += (first[i] - second[i]) / n
    squares = 0
    for i in range(n):
        squares += (first[i] - second[i] - mean) ** 2
    return mean, math.sqrt(squares / (n * (n - 1)))
""",
    ),
    Right(
        "16.difference",
        "variance of a difference, with the covariance",
        """
def difference(first, second):
    n = len(first)
    c = np.cov(np.array([first, second]))
    error = math.sqrt(max(0.0, c[0, 0] + c[1, 1] - 2 * c[0, 1]) / n)
    return sum(first) / n - sum(second) / n, error
""",
    ),
    Wrong(
        "16.difference",
        "two independent groups",
        """
def difference(first, second):
    n = len(first)
    gain = statistics.mean(first) - statistics.mean(second)
    return gain, math.sqrt(statistics.variance(first) / n + statistics.variance(second) / n)
""",
        mistake="treats the two as independent and throws the pairing away",
    ),
    Wrong(
        "16.difference",
        "n for n - 1",
        """
def difference(first, second):
    d = np.array(first) - np.array(second)
    return d.mean(), d.std() / np.sqrt(len(d))
""",
        mistake="divides the squares by n: the mean was taken from the same numbers, so it is n - 1",
    ),
    Wrong(
        "16.difference",
        "the standard deviation",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.stdev(gains)
""",
        mistake="returns the standard deviation of the differences, not of their mean",
    ),
    Wrong(
        "16.difference",
        "over n",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.stdev(gains) / len(gains)
""",
        mistake="divides by n, not by its square root",
    ),
    Wrong(
        "16.difference",
        "second minus first",
        """
def difference(first, second):
    gains = [b - a for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.stdev(gains) / math.sqrt(len(gains))
""",
        mistake="subtracts the wrong way round",
    ),
    Wrong(
        "16.difference",
        "distances",
        """
def difference(first, second):
    gains = [abs(a - b) for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.stdev(gains) / math.sqrt(len(gains))
""",
        mistake="takes the size of each difference, so that losses count as gains",
    ),
    Wrong(
        "16.difference",
        "sorted first",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(sorted(first), sorted(second))]
    return statistics.mean(gains), statistics.stdev(gains) / math.sqrt(len(gains))
""",
        mistake="sorts both lists and so pairs runs of different seeds",
    ),
    Wrong(
        "16.difference",
        "the variance",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(first, second)]
    return statistics.mean(gains), statistics.variance(gains) / math.sqrt(len(gains))
""",
        mistake="takes the variance for the standard deviation",
    ),
    Wrong(
        "16.difference",
        "the median",
        """
def difference(first, second):
    gains = [a - b for a, b in zip(first, second)]
    return statistics.median(gains), statistics.stdev(gains) / math.sqrt(len(gains))
""",
        mistake="returns the median where the mean is asked for",
    ),
    # 16.five-labels
    Right(
        "16.five-labels",
        "fine-tuned at one rate on digits that are moved about",
        """
def my_transfer(backbone, dataset):
    net = training.replace_head(backbone, len(dataset.classes))
    moved = training.Augment(shift=2)
    training.fit(net, dataset, epochs=120, lr=0.05, batch_size=25, augment=moved, progress=False)
    return net
""",
        slow=True,
    ),
    Wrong(
        "16.five-labels",
        "nothing at all",
        """
def my_transfer(backbone, dataset):
    return backbone.eval()
""",
        mistake="returns the network as it came, which reads about half of the digits",
    ),
    Wrong(
        "16.five-labels",
        "a linear probe",
        """
def my_transfer(backbone, dataset):
    return training.linear_probe(backbone, dataset)
""",
        mistake="changes the head only; the features of street digits are good for about three of four",
    ),
    Wrong(
        "16.five-labels",
        "forgets return",
        """
def my_transfer(backbone, dataset):
    training.fine_tune(backbone, dataset, steps=4)
""",
        mistake="trains the network and returns None",
    ),
    Wrong(
        "16.five-labels",
        "a new head and a few steps",
        """
def my_transfer(backbone, dataset):
    return training.fine_tune(backbone, dataset, steps=4)
""",
        mistake="stops after four steps, when the new head knows next to nothing",
    ),
    Wrong(
        "16.five-labels",
        "a head for two",
        """
def my_transfer(backbone, dataset):
    return training.replace_head(backbone, 2).eval()
""",
        mistake="gives the network two outputs for ten classes, and trains nothing",
    ),
    # 16.by-heart
    Right(
        "16.by-heart",
        "many passes with a larger momentum",
        """
def without_training(model, images):
    model = copy.deepcopy(model)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 0.1
    model.train()
    for _ in range(60):
        with torch.inference_mode():
            model(images)
    model.eval()
    return model
""",
    ),
    Right(
        "16.by-heart",
        "patience alone, in batches",
        """
def without_training(model, images):
    copied = copy.deepcopy(model).train()
    with torch.no_grad():
        for _ in range(300):
            for batch in images.split(25):
                copied(batch)
    return copied.eval()
""",
    ),
    Right(
        "16.by-heart",
        "momentum one, by the modules' names",
        """
def without_training(model, images):
    new = copy.deepcopy(model)
    new.train()
    for name, layer in new.named_modules():
        if hasattr(layer, "running_mean"):
            layer.momentum = 1.0
    new.requires_grad_(False)
    new(images)
    new.requires_grad_(True)
    return new.eval()
""",
    ),
    Wrong(
        "16.by-heart",
        "trains on",
        """
def without_training(model, images):
    model = copy.deepcopy(model).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    guesses = model(images)
    F.cross_entropy(guesses, guesses.argmax(1)).backward()
    optimizer.step()
    return model.eval()
""",
        "A weight changed",
    ),
    Wrong(
        "16.by-heart",
        "returns the answers",
        """
def without_training(model, images):
    return model.train()(images)
""",
        "should return a network",
    ),
    Wrong(
        "16.by-heart",
        "only the mode",
        """
def without_training(model, images):
    new = copy.deepcopy(model)
    for m in new.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 1.0
    return new.eval()
""",
        "Nothing has changed",
    ),
    Right(
        "16.freeze",
        "only the batch norms in eval mode",
        """
def only_the_head(model):
    model.train()
    for part in (model.stem, model.stages):
        part.requires_grad_(False)
        for layer in part.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()
""",
    ),
    Wrong(
        "16.freeze",
        "momentum 0",
        """
def only_the_head(model):
    model.train()
    model.requires_grad_(False)
    model.head.requires_grad_(True)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0
""",
        mistake="stops the statistics, but normalises by those of each batch",
    ),
    Wrong(
        "16.difference",
        "two standard errors",
        """
def difference(first, second):
    d = np.array(first) - np.array(second)
    return d.mean(), 2 * d.std(ddof=1) / np.sqrt(len(d))
""",
        mistake="returns two standard errors",
    ),
    Right(
        "16.by-heart",
        "one pass with a momentum of 1",
        """
def without_training(model, images):
    import copy
    net = copy.deepcopy(model)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 1
    net.train()(images)
    return net.eval()
""",
    ),
    Wrong(
        "16.by-heart",
        "statistics thrown away",
        """
def without_training(model, images):
    import copy
    net = copy.deepcopy(model).eval()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean = m.running_var = None
            m.track_running_stats = False
    return net
""",
        mistake="leaves batch norms that use whatever batch they are given",
    ),
]
