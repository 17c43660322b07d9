"""Answers of learners to the exercises of lesson 15, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 15.patchify
    Right(
        "15.patchify",
        "a transposed convolution lays the small kernels out",
        """
def patchify(first, second):
    return F.conv_transpose2d(second, first, stride=first.shape[-1])
""",
    ),
    Right(
        "15.patchify",
        "loops over the places",
        """
def patchify(first, second):
    q, p = second.shape[-1], first.shape[-1]
    out = torch.zeros(len(second), first.shape[1], q * p, q * p)
    for row in range(q * p):
        for column in range(q * p):
            late = second[:, :, row // p, column // p]
            early = first[:, :, row % p, column % p]
            out[:, :, row, column] = late @ early
    return out
""",
    ),
    Right(
        "15.patchify",
        "asks each pixel",
        """
def patchify(first, second):
    c, p, q = first.shape[1], first.shape[2], second.shape[2]
    side = p * q
    pixels = torch.eye(c * side * side).reshape(-1, c, side, side)
    answers = F.conv2d(F.conv2d(pixels, first, stride=p), second, stride=q)
    return answers.flatten(1).T.reshape(-1, c, side, side)
""",
    ),
    Right(
        "15.patchify",
        "Kronecker products, one for each way, in NumPy",
        """
def patchify(first, second):
    late, early = second.numpy(), first.numpy()
    ways = [
        [sum(np.kron(late[d, m], early[m, c]) for m in range(early.shape[0])) for c in range(early.shape[1])]
        for d in range(late.shape[0])
    ]
    return np.array(ways)
""",
    ),
    Wrong(
        "15.patchify",
        "Kronecker product the other way round",
        """
def patchify(first, second):
    ways = []
    for filters in second:
        rows = [sum(torch.kron(first[m, c], filters[m]) for m in range(len(first))) for c in range(first.shape[1])]
        ways.append(torch.stack(rows))
    return torch.stack(ways)
""",
        mistake="exchanges the small patch's place and the place in it",
    ),
    Wrong(
        "15.patchify",
        "the channels summed too early",
        """
def patchify(first, second):
    late, early = second.sum(1), first.sum(0)
    q, p = late.shape[-1], early.shape[-1]
    out = late[:, None, :, None, :, None] * early[None, :, None, :, None, :]
    return out.reshape(len(late), len(early), q * p, q * p)
""",
        mistake="adds the middle channels up before the product",
    ),
    Wrong(
        "15.patchify",
        "the second kernel enlarged",
        """
def patchify(first, second):
    return second.repeat_interleave(first.shape[2], 2).repeat_interleave(first.shape[3], 3)
""",
        mistake="leaves the first kernel out",
    ),
    Wrong(
        "15.patchify",
        "a convolution of the kernels",
        """
def patchify(first, second):
    p = first.shape[-1]
    return F.conv2d(second, first.flip(2, 3).transpose(0, 1), padding=p - 1)
""",
        mistake="composes two convolutions of stride 1, as in VGG",
    ),
    Wrong(
        "15.patchify",
        "a mean over the ways",
        """
def patchify(first, second):
    return F.conv_transpose2d(second, first, stride=first.shape[-1]) / len(first)
""",
        mistake="takes the mean where a convolution sums",
    ),
    Wrong(
        "15.patchify",
        "no reshape",
        """
def patchify(first, second):
    return torch.einsum("dmab,mcij->dcaibj", second, first)
""",
        mistake="leaves six axes",
    ),
    # 15.inside
    Right(
        "15.inside",
        "counts along one side and squares",
        """
def inside(kernel, size):
    half = kernel // 2
    hits = sum(0 <= place + step < size for place in range(size) for step in range(-half, half + 1))
    return (hits / (size * kernel)) ** 2
""",
    ),
    Right(
        "15.inside",
        "a convolution of ones with ones",
        """
def inside(kernel, size):
    ones = torch.ones(1, 1, size, size, dtype=torch.float64)
    hit = F.conv2d(ones, torch.ones(1, 1, kernel, kernel, dtype=torch.float64), padding=kernel // 2)
    return hit.mean() / kernel**2
""",
    ),
    Right(
        "15.inside",
        "four loops",
        """
def inside(kernel, size):
    r = kernel // 2
    inside_map, everything = 0, 0
    for y in range(size):
        for x in range(size):
            for dy in range(-r, r + 1):
                for dx in range(-r, r + 1):
                    everything += 1
                    if 0 <= y + dy < size and 0 <= x + dx < size:
                        inside_map += 1
    return inside_map / everything
""",
    ),
    Right(
        "15.inside",
        "NumPy, how far the window is cut off",
        """
def inside(kernel, size):
    p = np.arange(size)
    low = np.maximum(p - kernel // 2, 0)
    high = np.minimum(p + kernel // 2, size - 1)
    return np.mean((high - low + 1) / kernel) ** 2
""",
    ),
    Right(
        "15.inside",
        "by the offsets: a step s meets the map at size - |s| places",
        """
def inside(kernel, size):
    half = kernel // 2
    row = sum(max(0, size - abs(s)) for s in range(-half, half + 1)) / (kernel * size)
    return row * row
""",
    ),
    Wrong(
        "15.inside",
        "one side",
        """
def inside(kernel, size):
    half = kernel // 2
    hits = sum(0 <= p + s < size for p in range(size) for s in range(-half, half + 1))
    return hits / (size * kernel)
""",
        mistake="counts along one side and forgets that a kernel has two",
    ),
    Wrong(
        "15.inside",
        "no mean",
        """
def inside(kernel, size):
    return min(1.0, size / kernel) ** 2
""",
        mistake="takes the best position for all of them",
    ),
    Wrong(
        "15.inside",
        "the corner",
        """
def inside(kernel, size):
    return (min(size, kernel // 2 + 1) / kernel) ** 2
""",
        mistake="looks at the corner only, not at the mean of all positions",
    ),
    Wrong(
        "15.inside",
        "positions without padding",
        """
def inside(kernel, size):
    return (max(0, size - kernel + 1) / size) ** 2
""",
        mistake="returns the share of positions at which the whole kernel fits, not the share of its weights",
    ),
    Wrong(
        "15.inside",
        "range one too short",
        """
def inside(kernel, size):
    half = kernel // 2
    hits = sum(0 <= p + s < size for p in range(size) for s in range(-half, half))
    return (hits / (size * kernel)) ** 2
""",
        mistake="forgets the last weight of the kernel: range stops before half",
    ),
    Wrong(
        "15.inside",
        "percent",
        """
def inside(kernel, size):
    half = kernel // 2
    row = sum(max(0, size - abs(s)) for s in range(-half, half + 1)) / (kernel * size)
    return 100 * row * row
""",
        mistake="returns percent where a share is asked for",
    ),
    Wrong(
        "15.inside",
        "kernels smaller than the map only",
        """
def inside(kernel, size):
    half = kernel // 2
    row = sum(size - abs(s) for s in range(-half, half + 1)) / (kernel * size)
    return row * row
""",
        mistake="lets places count less than nothing where the kernel is far larger than the map",
    ),
    Wrong(
        "15.inside",
        "the share of padding",
        """
def inside(kernel, size):
    half = kernel // 2
    row = sum(max(0, size - abs(s)) for s in range(-half, half + 1)) / (kernel * size)
    return 1 - row * row
""",
        mistake="returns the share that falls on the padding",
    ),
    # 15.layer-norm
    Right(
        "15.layer-norm",
        "mean and variance over dimension 1",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(1, keepdim=True)
    var = x.var(1, keepdim=True, unbiased=False)
    x = (x - mean) / torch.sqrt(var + eps)
    return x * weight[:, None, None] + bias[:, None, None]
""",
    ),
    Right(
        "15.layer-norm",
        "F.layer_norm with the channels last",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    y = F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), weight, bias, eps)
    return y.permute(0, 3, 1, 2)
""",
    ),
    Right(
        "15.layer-norm",
        "centre, then the mean square",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    centred = x - x.mean(dim=1, keepdim=True)
    scale = (centred.square().mean(dim=1, keepdim=True) + eps).rsqrt()
    return torch.addcmul(bias.view(1, -1, 1, 1), centred * scale, weight.view(1, -1, 1, 1))
""",
    ),
    Right(
        "15.layer-norm",
        "an nn.LayerNorm of its own with these weights",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    layer = nn.LayerNorm(x.shape[1], eps=eps).to(x.dtype)
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer(x.movedim(1, -1)).movedim(-1, 1)
""",
    ),
    Right(
        "15.layer-norm",
        "each pixel as a row: group norm with one group",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    n, c, h, w = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, c)
    pixels = F.group_norm(pixels, 1, weight, bias, eps)
    return pixels.reshape(n, h, w, c).permute(0, 3, 1, 2)
""",
    ),
    Right(
        "15.layer-norm",
        "NumPy inside",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    a = x.detach().numpy()
    a = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(axis=1, keepdims=True) + eps)
    return torch.from_numpy(np.ascontiguousarray(a)) * weight[:, None, None] + bias[:, None, None]
""",
    ),
    Wrong(
        "15.layer-norm",
        "torch's usual variance",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean, var = x.mean(1, keepdim=True), x.var(1, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps) * weight[:, None, None] + bias[:, None, None]
""",
        mistake="divides the variance by C - 1, as tensor.var does if not told otherwise",
    ),
    Wrong(
        "15.layer-norm",
        "over the whole image",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean((1, 2, 3), keepdim=True)
    var = x.var((1, 2, 3), keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + eps) * weight[:, None, None] + bias[:, None, None]
""",
        mistake="takes the mean over the pixels too: that is a group norm with one group",
    ),
    Wrong(
        "15.layer-norm",
        "a batch norm",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean((0, 2, 3), keepdim=True)
    var = x.var((0, 2, 3), keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + eps) * weight[:, None, None] + bias[:, None, None]
""",
        mistake="normalises each channel over images and places: a batch norm",
    ),
    Wrong(
        "15.layer-norm",
        "the weights on the wrong side",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(1, keepdim=True)
    var = x.var(1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + eps) * weight + bias
""",
        mistake="multiplies along the width, not along the channels; it fails unless W equals C, and then it is wrong",
    ),
    Wrong(
        "15.layer-norm",
        "eps behind the root",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(1, keepdim=True)
    std = x.var(1, keepdim=True, unbiased=False).sqrt()
    return (x - mean) / (std + eps) * weight[:, None, None] + bias[:, None, None]
""",
        mistake="adds eps to the standard deviation; it belongs to the variance, which flat pixels show",
    ),
    Wrong(
        "15.layer-norm",
        "by the variance",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(1, keepdim=True)
    var = x.var(1, keepdim=True, unbiased=False)
    return (x - mean) / (var + eps) * weight[:, None, None] + bias[:, None, None]
""",
        mistake="divides by the variance, not by its root",
    ),
    Wrong(
        "15.layer-norm",
        "no weight and bias",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    mean = x.mean(1, keepdim=True)
    var = x.var(1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(var + eps)
""",
        mistake="forgets weight and bias",
    ),
    Wrong(
        "15.layer-norm",
        "in place",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    x -= x.mean(1, keepdim=True)
    x /= torch.sqrt(x.square().mean(1, keepdim=True) + eps)
    return x * weight[:, None, None] + bias[:, None, None]
""",
        mistake="normalises the caller's maps in place",
    ),
    Wrong(
        "15.layer-norm",
        "eps forgotten",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    y = F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), weight, bias)
    return y.permute(0, 3, 1, 2)
""",
        mistake="does not hand eps on, and F.layer_norm takes its own 1e-5",
    ),
    # 15.strength
    Right(
        "15.strength",
        "one channel raised",
        """
my_bias = torch.tensor([0.0, 0.0, 3.0, 0.0])
""",
    ),
    Right(
        "15.strength",
        "NumPy, at right angles to v and to the mean",
        """
my_bias = np.array([1, 1, 0, -1]) * 2 + np.array([0, 0, -2, 0])
""",
    ),
    Right(
        "15.strength",
        "a tuple, drawn at random",
        """
my_bias = (-1.5, 3.0, 0.5, 2)
""",
    ),
    Right(
        "15.strength",
        "a parameter, with its mean",
        """
my_bias = nn.Parameter(torch.tensor([1.0, 1.0, 6.0, 1.0]))
""",
    ),
    Wrong(
        "15.strength",
        "none",
        """
my_bias = torch.zeros(4)
""",
        mistake="leaves the two pixels the same direction",
    ),
    Wrong(
        "15.strength",
        "brighter",
        """
my_bias = 10 * torch.ones(4)
""",
        mistake="adds the same to all channels, which the norm subtracts",
    ),
    Wrong(
        "15.strength",
        "more of the same",
        """
my_bias = 2 * torch.tensor([2.0, -1.0, 0.0, 1.0]) + 1
""",
        mistake="adds a multiple of v (and a constant)",
    ),
    Wrong(
        "15.strength",
        "a trace",
        """
my_bias = [1e-2, -1e-2, 0, 0]
""",
        mistake="is far too small to turn the direction",
    ),
    Wrong(
        "15.strength",
        "a bias for three colours",
        """
my_bias = [1.0, 0.0, 0.0]
""",
        mistake="has three numbers, and the pixel four channels",
    ),
    # 15.block
    Right(
        "15.block",
        "there and back",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = depthwise(x).permute(0, 2, 3, 1)
    y = narrow(F.gelu(widen(norm(y))))
    return x + (layer_scale * y).permute(0, 3, 1, 2)
""",
    ),
    Right(
        "15.block",
        "scaled as a map",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    residual = nn.Sequential(norm, widen, nn.GELU(), narrow)(depthwise(x).movedim(1, 3)).movedim(3, 1)
    return residual * layer_scale.view(1, -1, 1, 1) + x
""",
    ),
    Right(
        "15.block",
        "einsum, GELU by the error function",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    h = widen(norm(torch.einsum("nchw->nhwc", depthwise(x))))
    h = h * 0.5 * (1 + torch.erf(h / math.sqrt(2)))
    return torch.einsum("nhwc,c->nchw", narrow(h), layer_scale) + x
""",
    ),
    Right(
        "15.block",
        "pixels as rows",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    n, c, h, w = x.shape
    rows = depthwise(x).flatten(2).transpose(1, 2).reshape(n * h * w, c)
    for layer in (norm, widen, nn.GELU(), narrow):
        rows = layer(rows)
    rows = rows * layer_scale
    back = rows.reshape(n, h * w, c).transpose(1, 2).reshape(n, c, h, w)
    out = x.clone()
    out += back
    return out
""",
    ),
    Wrong(
        "15.block",
        "no shortcut",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = norm(depthwise(x).permute(0, 2, 3, 1))
    return (layer_scale * narrow(F.gelu(widen(y)))).permute(0, 3, 1, 2)
""",
        mistake="forgets the shortcut",
    ),
    Wrong(
        "15.block",
        "no layer scale",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = norm(depthwise(x).permute(0, 2, 3, 1))
    return x + narrow(F.gelu(widen(y))).permute(0, 3, 1, 2)
""",
        mistake="never uses the layer scale",
    ),
    Wrong(
        "15.block",
        "scales the sum",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = narrow(F.gelu(widen(norm(depthwise(x).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2)
    return layer_scale[:, None, None] * (x + y)
""",
        mistake="scales the shortcut too; only the residual is scaled",
    ),
    Wrong(
        "15.block",
        "three GELUs",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = F.gelu(norm(depthwise(x).permute(0, 2, 3, 1)))
    y = narrow(F.gelu(widen(y)))
    return F.gelu(x + (layer_scale * y).permute(0, 3, 1, 2))
""",
        mistake="has an activation behind the norm and behind the sum too, as in a ResNet",
    ),
    Wrong(
        "15.block",
        "a transposed map",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = depthwise(x).permute(0, 2, 3, 1)
    y = layer_scale * narrow(F.gelu(widen(norm(y))))
    return x + y.transpose(1, 3)
""",
        mistake="brings the channels back with a transpose that swaps height and width; square maps do not complain",
    ),
    Wrong(
        "15.block",
        "norm first",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = depthwise(norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    return x + (layer_scale * narrow(F.gelu(widen(y)))).permute(0, 3, 1, 2)
""",
        mistake="puts the norm in front of the filter, as a transformer does",
    ),
    Wrong(
        "15.block",
        "the filtered shortcut",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    x = depthwise(x)
    y = narrow(F.gelu(widen(norm(x.permute(0, 2, 3, 1)))))
    return x + (layer_scale * y).permute(0, 3, 1, 2)
""",
        mistake="overwrites x, so that the shortcut begins behind the filter",
    ),
    Wrong(
        "15.block",
        "ReLU",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = narrow(F.relu(widen(norm(depthwise(x).permute(0, 2, 3, 1)))))
    return x + (layer_scale * y).permute(0, 3, 1, 2)
""",
        mistake="takes ReLU for GELU",
    ),
    Wrong(
        "15.block",
        "GELU at the end of the residual",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = F.gelu(narrow(widen(norm(depthwise(x).permute(0, 2, 3, 1)))))
    return x + (layer_scale * y).permute(0, 3, 1, 2)
""",
        mistake="puts the GELU behind both linear layers, which without it between them are one",
    ),
    Wrong(
        "15.block",
        "adds into x",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = narrow(F.gelu(widen(norm(depthwise(x).permute(0, 2, 3, 1)))))
    x += (layer_scale * y).permute(0, 3, 1, 2)
    return x
""",
        mistake="changes the caller's maps in place",
    ),
    # 15.own-network
    Right(
        "15.own-network",
        "group norms in a plain stack",
        """
def step(old, new):
    return nn.Sequential(nn.Conv2d(old, new, 3, stride=2, padding=1), nn.GroupNorm(4, new), nn.ReLU())


torch.manual_seed(0)
my_network = nn.Sequential(step(3, 16), step(16, 32), step(32, 64), nn.Flatten(), nn.Linear(1024, 10))
street = data.load("street_digits")
recipe = {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.05, "batch_size": 32}
training.fit(my_network, street, epochs=8, **recipe, progress=False)
""",
    ),
    Right(
        "15.own-network",
        "the lesson's own, with weights by width, twice the images and twice the time",
        """
torch.manual_seed(0)
my_network = study.weights_by_width(study.build(12, 8))
many = data.load("street_digits", train=8000)
training.fit(my_network, many, **study.RECIPE | {"epochs": 10}, progress=False)
""",
        slow=True,
    ),
    Right(
        "15.own-network",
        "no norm at all",
        """
torch.manual_seed(0)
my_network = nn.Sequential(
    nn.Conv2d(3, 32, 5, stride=2, padding=2), nn.ReLU(),
    nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(64, 64, 3, stride=2, padding=1), nn.ReLU(),
    nn.Flatten(), nn.Linear(64 * 16, 10),
)
training.fit(my_network, data.load("street_digits", train=6000), optimizer="adamw", lr=0.002, epochs=6, progress=False)
""",
    ),
    Wrong(
        "15.own-network",
        "a fresh one",
        """
torch.manual_seed(0)
my_network = study.build(13, 12)
""",
        mistake="was never trained",
    ),
    Wrong(
        "15.own-network",
        "a ResNet",
        """
torch.manual_seed(0)
my_network = models.get_model("resnet20_tiny", width=8)
few = data.load("street_digits", train=128, test=10)
training.fit(my_network, few, epochs=1, lr=0.1, batch_size=64, progress=False)
""",
        mistake="has batch norms in every block (and was hardly trained)",
    ),
    Wrong(
        "15.own-network",
        "a glance at the images",
        """
torch.manual_seed(0)
my_network = study.build(14, 12)
few = data.load("street_digits", train=128, test=10)
training.fit(my_network, few, **study.RECIPE | {"epochs": 1}, progress=False)
""",
        mistake="one pass over 128 images: the network reads hardly more than by chance",
    ),
    Wrong(
        "15.own-network",
        "a wide one",
        """
torch.manual_seed(0)
my_network = study.build(13, 64)
""",
        mistake="costs many times the 3 million mult-adds (and was never trained)",
    ),
    Wrong(
        "15.own-network",
        "an accuracy",
        """
my_network = 0.61
""",
        mistake="hands in a figure instead of the network",
    ),
    Right(
        "15.block",
        "functional layers, width before height there and back",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    c = x.shape[1]
    y = F.conv2d(x, depthwise.weight, depthwise.bias, padding=3, groups=c)
    y = F.layer_norm(y.permute(0, 3, 2, 1), (c,), norm.weight, norm.bias, norm.eps)
    y = F.linear(F.gelu(F.linear(y, widen.weight, widen.bias)), narrow.weight, narrow.bias)
    return x + torch.mul(y, layer_scale).permute(0, 3, 2, 1)
""",
    ),
    Right(
        "15.block",
        "the scale folded into the last layer",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    weight, bias = narrow.weight * layer_scale[:, None], narrow.bias * layer_scale
    y = norm(depthwise(x).moveaxis(1, -1))
    return x.add(F.linear(nn.functional.gelu(widen(y)), weight, bias).moveaxis(-1, 1))
""",
    ),
    Wrong(
        "15.block",
        "the scale after the norm",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = norm(depthwise(x).permute(0, 2, 3, 1)) * layer_scale
    return x + narrow(F.gelu(widen(y))).permute(0, 3, 1, 2)
""",
        mistake="scales what the norm returns, not the residual",
    ),
    Wrong(
        "15.block",
        "two shortcuts, as in a transformer",
        """
def block(x, depthwise, norm, widen, narrow, layer_scale):
    y = x + depthwise(x)
    z = narrow(F.gelu(widen(norm(y.permute(0, 2, 3, 1))))) * layer_scale
    return y + z.permute(0, 3, 1, 2)
""",
        mistake="adds the input to what the filter makes, too",
    ),
    Wrong(
        "15.layer-norm",
        "std, and eps after it",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    return (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + eps) * weight.view(-1,1,1) + bias.view(-1,1,1)
""",
        mistake="takes tensor.std, which divides by C - 1, and adds eps to it",
    ),
    Wrong(
        "15.layer-norm",
        "vectors of length 1",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    y = x - x.mean(1, keepdim=True)
    return F.normalize(y, dim=1) * weight.view(-1,1,1) + bias.view(-1,1,1)
""",
        mistake="brings each vector to length 1, not to a mean square of 1",
    ),
    Wrong(
        "15.layer-norm",
        "a reshape for a permute",
        """
def layer_norm(x, weight, bias, eps=1e-6):
    n, c, h, w = x.shape
    y = F.layer_norm(x.reshape(n, h, w, c), (c,), weight, bias, eps)
    return y.reshape(n, c, h, w)
""",
        mistake="reshapes the map where it should permute it: the numbers land at other places",
    ),
    Right(
        "15.patchify",
        "the late kernel enlarged, the early one repeated",
        """
def patchify(first, second):
    q, p = second.shape[-1], first.shape[-1]
    a = F.interpolate(second, scale_factor=p, mode="nearest")
    b = first.repeat(1, 1, q, q)
    return torch.einsum("dmxy,mcxy->dcxy", a, b)
""",
    ),
    Right(
        "15.patchify",
        "the gradient of each output",
        """
def patchify(first, second):
    p, q = first.shape[-1], second.shape[-1]
    x = torch.zeros(1, first.shape[1], p * q, p * q, requires_grad=True)
    y = F.conv2d(F.conv2d(x, first, stride=p), second, stride=q).flatten()
    return torch.stack([torch.autograd.grad(v, x, retain_graph=True)[0][0] for v in y])
""",
    ),
]
