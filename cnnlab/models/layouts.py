"""What other programs call the parameters of the same networks, and how their files are read.

A layout is a function from their name of a parameter to ours. All names must find their place, or nothing is loaded.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnlab import files

from .resnet import PadShortcut

Layout = Callable[[str], str]
Rules = Sequence[tuple[str, str | Callable[[re.Match], str]]]  # regular expressions, applied in turn

BATCH_COUNT = "num_batches_tracked"  # of a batch norm: it takes no part in the network, and old files do not have it
# What a number of NumPy's consists of: the best accuracy stands in many a checkpoint as one.
_NUMBERS = [np._core.multiarray.scalar, np.dtype, *(type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4"))]
# Where an average of the weights was kept (EMA), it is what timm and torchvision test and publish.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "net", "weights", "params")


def read_tensors(path: Path) -> object:
    """What a file holds, as it is: a .safetensors, or what torch.save wrote. Nothing in it is executed.

    Raises ValueError where there is no such file, or it is damaged, or holds more than tensors.
    """
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(_NUMBERS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if found := re.search(r"GLOBAL (\S+)", str(error)):
            raise ValueError(
                f"{path} holds a whole model or other objects ({found[1]}), not only tensors, and is not opened: to "
                "load it would run its code. Where it comes from, save model.state_dict() instead."
            ) from None
        raise damaged(path, "nothing in it can be read") from error
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError) as error:
        if "TorchScript" in str(error):
            raise ValueError(
                f"{path} holds a program (TorchScript), not only tensors, and is not opened. Where it comes from, save "
                "model.state_dict() instead."
            ) from None
        raise damaged(path, error) from error


def damaged(path: Path, reason: object) -> ValueError:
    """What to raise for a file that cannot be read: with what lies in its place, where that is known."""
    return ValueError(f"{path} is damaged, or no file of weights ({files.instead(path) or _first_line(reason)}).")


def state_dict_in(content: object) -> dict[str, Tensor]:
    """The state dict in what a file holds: out of its wrapper, and without a prefix that all names share."""
    if isinstance(content, Mapping) and not _is_state_dict(content):
        content = next((content[key] for key in WRAPPERS if _is_state_dict(content.get(key))), content)
    if not _is_state_dict(content):
        held = f" There are {', '.join(map(str, content))}." if isinstance(content, Mapping) and content else ""
        raise ValueError(f"Parameters are a state dict: a dictionary of tensors, as model.state_dict() returns.{held}")
    content = {name: value for name, value in content.items() if name != "n_averaged"}  # of an AveragedModel
    names = list(content)
    while len(parts := {name.partition(".")[0] for name in names}) == 1 and all("." in name for name in names):
        names = [name.removeprefix(f"{min(parts)}.") for name in names]  # "module." of DataParallel, and its like
    return dict(zip(names, content.values(), strict=True))


def in_our_names(model: nn.Module, theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors by the names and in the shapes of `model`.

    Raises ValueError where a name or a shape has no place, with what is missing by the layout that comes closest.
    """
    theirs = {name: value for name, value in theirs.items() if not name.endswith(BATCH_COUNT)}
    ours = {name: value for name, value in model.state_dict().items() if not name.endswith(BATCH_COUNT)}
    found = None
    for layout in _layouts(model):
        renamed = {layout(name): value for name, value in theirs.items()}
        if getattr(model, "aux_heads", ...) is None:  # GoogLeNet without the heads that only training needs
            renamed = {name: value for name, value in renamed.items() if not name.startswith("aux")}
        if found is None or len(renamed.keys() ^ ours.keys()) < len(found.keys() ^ ours.keys()):
            found = renamed
        if found.keys() == ours.keys():
            break
    _check_names(model, ours, found)
    _check_padding(model, theirs)
    return {name: _shaped(model, name, value, ours[name]) for name, value in found.items()}


def _layouts(model: nn.Module) -> Iterator[Layout]:
    """Those that a network may have, cheapest first."""
    yield lambda name: name
    rules = _RULES.get(type(model).__name__, ())
    yield lambda name: _renamed(name, rules)
    if type(model).__name__ == "EfficientNet":
        places = [
            f"stages.{stage}.{block}." for stage, blocks in enumerate(model.stages) for block in range(len(blocks))
        ]
        numbered = {f"_blocks.{number}.": place for number, place in enumerate(places)}

        def flat(name: str) -> str:
            block = re.match(r"_blocks\.\d+\.|", name)[0]
            return _renamed(numbered.get(block, block) + name.removeprefix(block), _EFFICIENTNET_PYTORCH)

        yield flat
    if torchvisions := _torchvisions(model):

        def torchvision(name: str) -> str:
            layer, _, parameter = _renamed(name, rules).rpartition(".")
            return f"{torchvisions[layer]}.{parameter}" if layer in torchvisions else name

        yield torchvision


def _renamed(name: str, rules: Rules) -> str:
    for pattern, ours in rules:
        name = re.sub(pattern, ours, name)
    return name


def _less_one(match: re.Match) -> str:
    return f"stages.{int(match[1]) - 1}."


def _more_one(match: re.Match) -> str:
    return f"{match[1]}.block{int(match[2]) + 1}."


_RESNET = (  # torchvision's and timm's; for CIFAR akamaster/pytorch_resnet_cifar10's and kuangliu/pytorch-cifar's
    (r"^layer(\d+)\.", _less_one),
    (r"^(stages\.\d+\.\d+)\.conv(\d)\.", r"\1.residual.conv\2."),
    (r"^(stages\.\d+\.\d+)\.bn(\d)\.", r"\1.residual.norm\2."),
    (r"\.(?:downsample|shortcut)\.0\.", ".shortcut.conv."),
    (r"\.(?:downsample|shortcut)\.1\.", ".shortcut.norm."),
    (r"^conv1\.", "stem.conv."),
    (r"^bn1\.", "stem.norm."),
    (r"^(?:fc|linear)\.", "head.fc."),
)
_MOBILE = (  # timm's; its first stage, which does not expand, counts the layers of a block differently
    (r"^blocks\.0\.(\d+)\.conv_dw\.", r"stages.0.\1.residual.depthwise.conv."),
    (r"^blocks\.0\.(\d+)\.bn1\.", r"stages.0.\1.residual.depthwise.norm."),
    (r"^blocks\.0\.(\d+)\.conv_pw\.", r"stages.0.\1.residual.project.conv."),
    (r"^blocks\.0\.(\d+)\.bn2\.", r"stages.0.\1.residual.project.norm."),
    (r"^blocks\.(\d+\.\d+)\.conv_pw\.", r"stages.\1.residual.expand.conv."),
    (r"^blocks\.(\d+\.\d+)\.bn1\.", r"stages.\1.residual.expand.norm."),
    (r"^blocks\.(\d+\.\d+)\.conv_dw\.", r"stages.\1.residual.depthwise.conv."),
    (r"^blocks\.(\d+\.\d+)\.bn2\.", r"stages.\1.residual.depthwise.norm."),
    (r"^blocks\.(\d+\.\d+)\.conv_pwl\.", r"stages.\1.residual.project.conv."),
    (r"^blocks\.(\d+\.\d+)\.bn3\.", r"stages.\1.residual.project.norm."),
    (r"^blocks\.(\d+\.\d+)\.se\.conv_reduce\.", r"stages.\1.residual.se.weigh.fc1."),
    (r"^blocks\.(\d+\.\d+)\.se\.conv_expand\.", r"stages.\1.residual.se.weigh.fc2."),
    (r"^conv_stem\.", "stem.conv."),
    (r"^bn1\.", "stem.norm."),
    (r"^conv_head\.", "head.conv.conv."),
    (r"^bn2\.", "head.conv.norm."),
    (r"^classifier\.(?=weight|bias)", "head.fc."),
)
_EFFICIENTNET_PYTORCH = (  # lukemelas/EfficientNet-PyTorch's, which numbers the blocks through
    (r"\._expand_conv\.", ".residual.expand.conv."),
    (r"\._bn0\.", ".residual.expand.norm."),
    (r"\._depthwise_conv\.", ".residual.depthwise.conv."),
    (r"\._bn1\.", ".residual.depthwise.norm."),
    (r"\._se_reduce\.", ".residual.se.weigh.fc1."),
    (r"\._se_expand\.", ".residual.se.weigh.fc2."),
    (r"\._project_conv\.", ".residual.project.conv."),
    (r"\._bn2\.", ".residual.project.norm."),
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "head.conv.conv."),
    (r"^_bn1\.", "head.conv.norm."),
    (r"^_fc\.", "head.fc."),
)
_RULES = {
    "ResNet": _RESNET,
    "MobileNetV2": _MOBILE,
    "EfficientNet": _MOBILE,
    "ConvNeXt": (  # timm's
        (r"^stem\.0\.", "stem.conv."),
        (r"^stem\.1\.", "stem.norm."),
        (r"\.downsample\.0\.", ".downsample.norm."),
        (r"\.downsample\.1\.", ".downsample.conv."),
        (r"\.gamma$", ".layer_scale"),
        (r"\.mlp\.(fc\d)\.", r".residual.\1."),
        (r"\.conv_dw\.", ".residual.depthwise."),
        (r"(\.blocks\.\d+)\.norm\.", r"\1.residual.norm."),
        (r"^(stages\.\d+)\.blocks\.(\d+)\.", _more_one),
    ),
    "ViT": (  # timm's
        (r"^cls_token$", "stem.patches.class_token"),
        (r"^pos_embed$", "stem.positions.pos_embedding"),
        (r"^patch_embed\.proj\.", "stem.patches.project."),
        (r"^blocks\.", "stages.0."),
        (r"\.attn\.qkv\.(weight|bias)$", r".attention.in_proj_\1"),
        (r"\.attn\.proj\.", ".attention.out_proj."),
        (r"^norm\.", "head.norm."),
        (r"^head\.(weight|bias)$", r"head.fc.\1"),
    ),
    # To torchvision's: timm's classifier, and DenseNet's files, which are older than its code.
    "VGG": (
        (r"^pre_logits\.fc1\.", "classifier.0."),
        (r"^pre_logits\.fc2\.", "classifier.3."),
        (r"^head\.fc\.", "classifier.6."),
    ),
    "DenseNet": ((r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2."),),
}


def _torchvisions(model: nn.Module) -> dict[str, str]:
    """Our name of each layer by torchvision's, where torchvision has this network: there the order is the same."""
    from torchvision import models as theirs  # here, because it takes seconds

    from cnnlab.models import family, get_model, list_models

    own = list(model.state_dict())
    options = {"aux_heads": True} if getattr(model, "aux_heads", None) is not None else {}
    for name in theirs.list_models():
        if name not in list_models() or family(name) is not type(model):
            continue
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GoogLeNet's, about an initialisation that does not happen on "meta"
            if list(get_model(name, **options).state_dict()) == own:
                names = [name for name in theirs.get_model(name).state_dict() if options or not name.startswith("aux")]
                return dict(zip(_layers(names), _layers(own), strict=True))
    return {}


def _layers(names: Iterable[str]) -> list[str]:
    """Each layer with parameters once, in their order."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in names))


def _check_names(model: nn.Module, ours: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    missing = [name for name in ours if name not in found]
    unknown = [name for name in found if name not in ours]
    if missing or unknown:
        said = [f"missing: {_some(missing)}"] * bool(missing) + [f"without a place: {_some(unknown)}"] * bool(unknown)
        raise ValueError(f"These parameters do not fit {type(model).__name__}. {'; '.join(said)}.")


def _check_padding(model: nn.Module, theirs: Mapping[str, Tensor]) -> None:
    """Option A has no parameters, so nothing in a file says where it pads; akamaster's files are known by `linear`."""
    behind = any(isinstance(layer, PadShortcut) and not layer.before for layer in model.modules())
    if behind and "linear.weight" in theirs:
        raise ValueError(
            "These parameters have the names of akamaster/pytorch_resnet_cifar10, whose shortcuts pad the channels on "
            "both sides; this network pads behind. Build it with shortcut='A-both'."
        )


def _shaped(model: nn.Module, name: str, value: Tensor, target: Tensor) -> Tensor:
    """A value in the shape that it has here: a 1x1 convolution may be a linear layer there, and the reverse."""
    if target.is_floating_point() and not value.is_floating_point():
        raise ValueError(
            f"{name} is stored as {value.dtype}, without the scale that would make weights of its whole numbers: "
            "take the file that is not quantised."
        )
    if value.shape == target.shape:
        return value
    same_row = value.ndim and target.ndim and value.shape[0] == target.shape[0]
    if value.numel() == target.numel() and (same_row or value.squeeze().shape == target.squeeze().shape):
        return value.reshape(target.shape)
    shapes = f"{name} has the shape {tuple(target.shape)} here and {tuple(value.shape)} there"
    hint = ""
    if name.startswith("head.") and value.shape[1:] == target.shape[1:]:
        hint = f" Build it with num_classes={value.shape[0]}."
    elif value.ndim == 4 and value.shape[2:] == target.shape[2:] and name == next(iter(model.state_dict())):
        hint = f" Build it with in_channels={value.shape[1]}."
    raise ValueError(f"These parameters do not fit {type(model).__name__}: {shapes}.{hint}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _is_state_dict(content: object) -> bool:
    if not isinstance(content, Mapping) or not content:
        return False
    return all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items())


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]
