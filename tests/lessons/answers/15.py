"""Answers of learners to the exercises of lesson 15, in many styles, written without looking at the checks."""

from answers import Right, Wrong

ANSWERS = [
    # 15.patchify
    Right(
        "15.patchify",
        "reshape, permute, linear",
        """
def patchify(images, weight, bias, patch):
    n, c, h, w = images.shape
    x = images.reshape(n, c, h // patch, patch, w // patch, patch)
    x = x.permute(0, 2, 4, 1, 3, 5).reshape(n, h // patch, w // patch, c * patch * patch)
    return F.linear(x, weight, bias).permute(0, 3, 1, 2)
""",
    ),
    Right(
        "15.patchify",
        "F.unfold and a matrix product",
        """
def patchify(images, weight, bias, patch):
    columns = F.unfold(images, patch, stride=patch)
    out = weight @ columns + bias.unsqueeze(1)
    return out.unflatten(2, (images.shape[2] // patch, images.shape[3] // patch))
""",
    ),
    Right(
        "15.patchify",
        "a loop that fills the map",
        """
def patchify(images, weight, bias, patch):
    N, _, H, W = images.shape
    out = images.new_zeros(N, len(weight), H // patch, W // patch)
    for i in range(H // patch):
        for j in range(W // patch):
            square = images[:, :, i * patch : (i + 1) * patch, j * patch : (j + 1) * patch]
            out[:, :, i, j] = square.flatten(1) @ weight.T + bias
    return out
""",
    ),
    Right(
        "15.patchify",
        "pixel_unshuffle lays the squares out",
        """
def patchify(images, weight, bias, patch):
    laid_out = F.pixel_unshuffle(images, patch)
    return torch.einsum("dk,nkhw->ndhw", weight, laid_out) + bias[:, None, None]
""",
    ),
    Right(
        "15.patchify",
        "tensor.unfold and einsum on the weight as a kernel",
        """
def patchify(images, weight, bias, patch):
    kernel = weight.view(-1, images.shape[1], patch, patch)
    squares = images.unfold(2, patch, patch).unfold(3, patch, patch)
    return torch.einsum("nchwij,dcij->ndhw", squares, kernel).add(bias.reshape(1, -1, 1, 1))
""",
    ),
    Wrong(
        "15.patchify",
        "a convolution",
        """
def patchify(images, weight, bias, patch):
    kernel = weight.reshape(len(weight), -1, patch, patch)
    return F.conv2d(images, kernel, bias, stride=patch)
""",
        mistake="uses the convolution that the exercise does without",
    ),
    Wrong(
        "15.patchify",
        "reshape alone",
        """
def patchify(images, weight, bias, patch):
    n, c, h, w = images.shape
    x = images.reshape(n, h // patch, w // patch, c * patch * patch)
    return F.linear(x, weight, bias).permute(0, 3, 1, 2)
""",
        mistake="a reshape does not cut squares: it takes the numbers as they lie in memory",
    ),
    Wrong(
        "15.patchify",
        "tokens",
        """
def patchify(images, weight, bias, patch):
    return F.linear(F.unfold(images, patch, stride=patch).transpose(1, 2), weight, bias)
""",
        mistake="returns a list of tokens as in lesson 14, not a map",
    ),
    Wrong(
        "15.patchify",
        "pixels first",
        """
def patchify(images, weight, bias, patch):
    n, c, h, w = images.shape
    x = images.reshape(n, c, h // patch, patch, w // patch, patch)
    x = x.permute(0, 2, 4, 3, 5, 1).flatten(3)
    return F.linear(x, weight, bias).permute(0, 3, 1, 2)
""",
        mistake="lays each square out with its channels last; the weight expects C * patch * patch",
    ),
    Wrong(
        "15.patchify",
        "transposed map",
        """
def patchify(images, weight, bias, patch):
    columns = weight @ F.unfold(images, patch, stride=patch) + bias[:, None]
    n, _, h, w = images.shape
    return columns.reshape(n, -1, w // patch, h // patch)
""",
        mistake="swaps height and width; square images hide it",
    ),
    Wrong(
        "15.patchify",
        "patch by patch in the wrong pairs",
        """
def patchify(images, weight, bias, patch):
    n, c, h, w = images.shape
    x = images.reshape(n, c, patch, h // patch, patch, w // patch)
    x = x.permute(0, 3, 5, 1, 2, 4).flatten(3)
    return F.linear(x, weight, bias).permute(0, 3, 1, 2)
""",
        mistake="splits each side the wrong way round, and gathers pixels that lie far apart",
    ),
    Wrong(
        "15.patchify",
        "patches of four",
        """
def patchify(images, weight, bias, patch=4):
    columns = weight @ F.unfold(images, 4, stride=4) + bias[:, None]
    return columns.unflatten(2, (images.shape[2] // 4, images.shape[3] // 4))
""",
        mistake="has the paper's 4 x 4 built in",
    ),
    Wrong(
        "15.patchify",
        "no bias",
        """
def patchify(images, weight, bias, patch):
    return torch.einsum("dk,nkhw->ndhw", weight, F.pixel_unshuffle(images, patch))
""",
        mistake="forgets the bias",
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
training.fit(my_network, street, epochs=5, **recipe, progress=False)
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
]
