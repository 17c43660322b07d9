"""cost() against published figures, against receptive fields from the literature, and against gradients."""

import copy
from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from cnnlab import measure


def lenet() -> nn.Sequential:
    """LeNet's layers, all of them convolutions and pooling (LeCun et al. 1998, figure 2; dense C3)."""
    layers = [nn.Conv2d(1, 6, 5), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.AvgPool2d(2), nn.Conv2d(16, 120, 5)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def published(name: str, **config: object) -> nn.Module:
    with torch.device("meta"):
        return torchvision.models.get_model(name, **config)


def row(cost: measure.Cost, name: str):
    return next(r for r in (*cost.layers, *cost.stages) if r.name == name)


class Graph(nn.Module):
    """A forward that is one function of the model and the image."""

    def __init__(self, run: Callable[[nn.Module, Tensor], Tensor], **children: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.run = run
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


# torchvision's documented parameters; mult-adds at 224x224 as documented in GFLOPs, to the digit.
PUBLISHED = {
    "alexnet": (61_100_840, 714_188_480),
    "vgg16": (138_357_544, 15_470_264_320),
    "googlenet": (6_624_904, 1_498_376_192),
    "resnet50": (25_557_032, 4_089_184_256),
    "densenet121": (7_978_856, 2_834_161_664),
    "mobilenet_v2": (3_504_872, 300_774_272),
    "vit_b_16": (86_567_656, 17_563_828_224),
    "convnext_tiny": (28_589_128, 4_455_531_264),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_torchvision_networks_cost_what_is_published_and_rows_add_up(name: str) -> None:
    config = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    cost = measure.cost(published(name, **config), (3, 224, 224))
    assert (cost.params, cost.macs) == PUBLISHED[name]
    assert cost.output_shape == (1000,)
    for rows in (cost.layers, cost.stages):
        assert sum(r.params for r in rows) == cost.params
        assert sum(r.macs for r in rows) == cost.macs
        assert sum(r.activations for r in rows) == cost.activations
        assert len({r.name for r in rows}) == len(rows)


def test_lenet_row_by_row() -> None:
    cost = measure.cost(lenet(), 32)
    assert [layer.kind for layer in cost.layers[:3]] == ["Conv2d", "AvgPool2d", "Conv2d"]
    assert [layer.params for layer in cost.layers] == [156, 0, 2_416, 0, 48_120, 0, 10_164, 0, 850]
    # Units of the output times weights of one kernel, without the bias.
    expected = [28 * 28 * 6 * 25, 0, 10 * 10 * 16 * 150, 0, 120 * 400, 0, 84 * 120, 0, 84 * 10]
    assert [layer.macs for layer in cost.layers] == expected
    assert [layer.activations for layer in cost.layers] == [4_704, 1_176, 1_600, 400, 120, 120, 84, 84, 10]
    assert cost.activations == 8_298
    assert cost.activation_bytes == 4 * 8_298
    assert [layer.output_shape for layer in cost.layers[-3:]] == [(84,), (84,), (10,)]
    # C1, S2, C3, S4 and C5 of the paper's figure; C5 has one position only, so what follows sees no more.
    assert [layer.receptive_field for layer in cost.layers] == [5, 6, 14, 16, 32, 32, 32, 32, 32]
    assert [layer.stride for layer in cost.layers[:5]] == [1, 2, 2, 4, 4]
    assert cost.receptive_field == 32


def test_larger_images_cost_more_but_units_see_the_same() -> None:
    small, large = (measure.cost(published("resnet18"), size) for size in (64, 128))
    assert small.params == large.params
    assert large.macs - 512_000 == 4 * (small.macs - 512_000)  # all but the classifier
    assert small.receptive_field == large.receptive_field


# alexnet_v2, vgg_16 and inception_v3 of Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional
# Neural Networks". By hand: MobileNet-v2, 3 (stem) + 4 + 4+8 + 8+2*16 + 16+3*32 + 3*32 + 32+2*64 + 64; torchvision's
# ResNet-50, which strides in a block's 3x3: 11 (stem) + 3*8 + 8+3*16 + 16+5*32 + 32+2*64.
@pytest.mark.parametrize(
    ("name", "field"),
    [("alexnet", 195), ("vgg16", 212), ("inception_v3", 1311), ("mobilenet_v2", 491), ("resnet50", 427)],
)
def test_receptive_fields_of_the_literature(name: str, field: int) -> None:
    config = {"init_weights": False} if name == "inception_v3" else {}
    assert measure.cost(published(name, **config), 224).receptive_field == field


# The same source's ResNets. The paper strides in the first 1x1, so a stage's first 3x3 is already on the coarser grid
# (theirs stride at the end of a stage, with the same sum): 11 + 3*8 + 4*16 + 6*32 + 3*64 = 483.
@pytest.mark.parametrize(("name", "field"), [("resnet50", 483), ("resnet101", 1027), ("resnet152", 1507)])
def test_receptive_field_of_the_original_resnets(name: str, field: int) -> None:
    model = published(name)
    for block in model.modules():
        if isinstance(block, torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    cost = measure.cost(model, 224)
    assert (row(cost, "layer4").receptive_field, row(cost, "layer4").stride) == (field, 32)
    assert row(cost, "fc").receptive_field is None


def test_vgg16_layer_by_layer() -> None:
    cost = measure.cost(published("vgg16"), 224)
    fields = [layer.receptive_field for layer in cost.layers if layer.kind in ("Conv2d", "MaxPool2d")]
    assert fields == [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212]
    assert row(cost, "classifier.0").receptive_field is None


def test_what_sees_the_whole_image() -> None:
    vit = measure.cost(published("vit_b_16"), 224)
    assert row(vit, "conv_proj").receptive_field == 16
    assert row(vit, "encoder.layers.encoder_layer_0.ln_1").receptive_field == 16
    assert row(vit, "encoder.layers.encoder_layer_0.self_attention").receptive_field is None
    # Squeeze-and-excitation: the gates come from a global mean.
    efficientnet = measure.cost(published("efficientnet_b0"), 224)
    assert row(efficientnet, "features.1.0.block.0.0").receptive_field == 7
    assert row(efficientnet, "features.1.0.block.1.avgpool").receptive_field is None
    assert row(efficientnet, "features.1.0.block.2.0").receptive_field is None
    assert row(efficientnet, "features.1.0.block.2.0").stride == 2
    assert vit.receptive_field is efficientnet.receptive_field is None
    mlp = measure.cost(nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10)), 8)
    assert [layer.receptive_field for layer in mlp.layers] == [1, None]


def test_linear_layers_and_means_over_channels_see_one_position_each() -> None:
    # 64 channels on 8x8 positions: the sizes alone do not tell the axes apart.
    pointwise = Graph(
        lambda m, x: m.linear(m.conv(x).permute(0, 2, 3, 1)), conv=nn.Conv2d(3, 64, 3, 1, 1), linear=nn.Linear(64, 64)
    )
    assert row(measure.cost(pointwise, 8), "linear").receptive_field == 3
    normed = Graph(lambda m, x: m.conv(x - x.mean(1, keepdim=True)), conv=nn.Conv2d(3, 64, 3, 1, 1))
    assert measure.cost(normed, 8).receptive_field == 3

    def tokens(m: nn.Module, x: Tensor) -> Tensor:
        x = m.conv(x).flatten(2).transpose(1, 2)
        return m.linear(torch.cat([m.first.expand(1, 1, -1), x], dim=1))

    conv, first = nn.Conv2d(3, 6, 2, 2), nn.Parameter(torch.zeros(6))
    with_class_token = measure.cost(Graph(tokens, conv=conv, first=first, linear=nn.Linear(6, 6)), 8)
    assert (row(with_class_token, "linear").receptive_field, row(with_class_token, "linear").stride) == (2, 2)


def test_merged_positions_see_the_whole_image_unless_there_is_only_one() -> None:
    pooled = Graph(lambda m, x: m.head(m.conv(x).mean((2, 3))), conv=nn.Conv2d(3, 64, 3, 1, 1), head=nn.Linear(64, 10))
    assert row(measure.cost(pooled, 8), "head").receptive_field is None
    single = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4, padding=1), nn.AdaptiveAvgPool2d(1))
    assert [[layer.receptive_field for layer in measure.cost(single, size).layers] for size in (4, 8)] == [
        [5, 5],
        [5, None],
    ]
    largest = nn.Sequential(nn.Conv2d(3, 4, 5), nn.AdaptiveMaxPool2d(1))
    assert [layer.receptive_field for layer in measure.cost(largest, 8).layers] == [5, None]
    mixer = Graph(lambda m, x: m.mix(m.conv(x).flatten(2)), conv=nn.Conv2d(3, 96, 2, 2), mix=nn.Linear(16, 16))
    assert row(measure.cost(mixer, 8), "mix").receptive_field is None


def conv(kernel: int | tuple[int, int], **options: object) -> nn.Conv2d:
    return nn.Conv2d(options.pop("channels", 2), 2, kernel, **options)


def residual(m: nn.Module, x: Tensor) -> Tensor:
    x = m.stem(x)
    return m.last(x + m.b(m.a(x)))


def inception(m: nn.Module, x: Tensor) -> Tensor:
    x = m.stem(x)
    return m.last(torch.cat([m.a(x), m.b(x), F.avg_pool2d(x, 3, 1, 1)], dim=1))


def strided_shortcut(m: nn.Module, x: Tensor) -> Tensor:
    x = m.stem(x)
    return m.last(m.a(x) + x[:, :, ::2, ::2])


def shifted_paths(m: nn.Module, x: Tensor) -> Tensor:
    """As NASNet's factorized reduction: the second path looks two pixels further to the right and down."""
    x = m.stem(x)
    return m.last(torch.cat([m.a(x), m.b(F.pad(x, (0, 2, 0, 2))[:, :, 2:, 2:])], dim=1))


def padded(m: nn.Module, x: Tensor) -> Tensor:
    """A path three pixels to the left and one up beside a centred one: together they see more than each."""
    x = m.stem(x)
    return m.last(m.a(F.pad(x, (3, -3, 1, -1))) + m.b(x))


GRAPHS = {
    "plain": nn.Sequential(conv(3, padding=1), conv(5, stride=2), nn.AvgPool2d(3, 2, 1), conv(3, dilation=2)),
    "oblong": nn.Sequential(conv((1, 7)), conv((3, 1), stride=(2, 1)), nn.AvgPool2d((1, 2)), conv((3, 3))),
    "adaptive": nn.Sequential(conv(3), nn.AdaptiveAvgPool2d(31), conv(3)),
    "residual": Graph(residual, stem=conv(3, stride=2), a=conv(3, padding=1), b=conv(5, padding=2), last=conv(3)),
    "inception": Graph(
        inception, stem=conv(3, stride=2), a=conv(1), b=conv(5, padding=2), last=conv(3, channels=6, stride=2)
    ),
    "strided_shortcut": Graph(strided_shortcut, stem=conv(3), a=conv(3, stride=2, padding=1), last=conv(3)),
    "shifted_paths": Graph(
        shifted_paths, stem=conv(3), a=conv(2, stride=2), b=conv(1, stride=2), last=conv(3, channels=4)
    ),
    "padded": Graph(padded, stem=conv(3), a=conv(1), b=conv((3, 5), padding=(1, 2)), last=conv(1)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_gradient_of_one_unit_reaches_as_far_as_its_field(name: str) -> None:
    model = copy.deepcopy(GRAPHS[name])
    for parameter in model.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)  # positive weights only: no contribution cancels another
    image = torch.zeros(1, 2, 64, 64, requires_grad=True)
    output = model(image)
    output[0, 0, output.shape[2] // 2, output.shape[3] // 2].backward()
    rows, columns = (image.grad.sum((0, 1)).sum(axis).nonzero() for axis in (1, 0))
    seen = tuple(int(reached[-1] - reached[0]) + 1 for reached in (rows, columns))
    field = measure.cost(model, 64).receptive_field
    assert (field if isinstance(field, tuple) else (field, field)) == seen


def test_parameters_outside_of_leaf_layers_have_a_row() -> None:
    vit = measure.cost(published("vit_b_16"), 224)
    assert (vit.layers[0].name, vit.layers[0].kind, vit.layers[0].params) == ("(model)", "VisionTransformer", 768)
    encoder = row(vit, "encoder")
    assert (encoder.params, encoder.macs, encoder.activations) == (197 * 768, 0, 0)  # the positions
    assert [(stage.name, stage.params) for stage in vit.stages] == [
        ("(model)", 768),
        ("conv_proj", 590_592),
        ("encoder", 197 * 768 + 12 * 7_087_872 + 2 * 768),
        ("heads", 769_000),
    ]
    attention = row(vit, "encoder.layers.encoder_layer_0.self_attention")
    assert attention.params == 4 * 768 * 768 + 4 * 768
    assert attention.macs == 4 * 197 * 768 * 768 + 2 * 197 * 197 * 768  # projections, then two matrix products
    assert attention.activations == 197 * 768


def test_attention_by_one_fused_operation_counts() -> None:
    def attend(m: nn.Module, x: Tensor) -> Tensor:
        tokens = m.embed(x).flatten(2).transpose(1, 2)[:, None]
        return F.scaled_dot_product_attention(tokens, tokens, tokens)[:, 0]

    cost = measure.cost(Graph(attend, embed=nn.Conv2d(3, 8, 4, 4)), 16)
    assert [(layer.name, layer.macs) for layer in cost.layers] == [("(model)", 2 * 16 * 16 * 8), ("embed", 16 * 48 * 8)]
    assert cost.receptive_field is None


def test_what_did_not_run_is_listed_without_cost() -> None:
    cost = measure.cost(published("googlenet", aux_logits=True, init_weights=False).train(), 224)
    assert cost.params == 13_004_888
    assert cost.macs == PUBLISHED["googlenet"][1]
    aux = cost.stages[-1]
    assert (aux.name, aux.output_shape, aux.params, aux.macs, aux.activations) == ("aux2", None, 3_191_016, 0, 0)


def test_stages_are_grouped_as_the_models_of_the_course_name_them() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3)
            self.stages = nn.ModuleList([nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()) for _ in range(2)])
            self.head = nn.ModuleList([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)])

        def forward(self, x: Tensor) -> Tensor:
            for layer in (self.stem, *self.stages, *self.head):
                x = layer(x)
            return x

    cost = measure.cost(Net(), 32)
    assert [stage.name for stage in cost.stages] == ["stem", "stages.0", "stages.1", "head"]
    assert [stage.params for stage in cost.stages] == [112, 148, 148, 50]
    assert [stage.receptive_field for stage in cost.stages] == [3, 5, 7, None]
    assert [stage.output_shape for stage in cost.stages] == [(4, 30, 30), (4, 28, 28), (4, 26, 26), (10,)]
    assert [stage.kind for stage in cost.stages] == ["Conv2d", "Sequential", "Sequential", "ModuleList"]


def test_a_module_with_several_outputs_has_one_shape() -> None:
    cell = Graph(lambda m, x: (x, m.conv(x)), conv=nn.Conv2d(3, 8, 3))
    attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def attend(m: nn.Module, x: Tensor) -> Tensor:
        tokens = m.cell(x)[1].flatten(2).transpose(1, 2)
        return m.attention(tokens, tokens, tokens, need_weights=True)[0]

    cost = measure.cost(Graph(attend, cell=cell, attention=attention), (3, 6, 6))
    assert [(stage.name, stage.output_shape) for stage in cost.stages] == [("cell", (8, 4, 4)), ("attention", (16, 8))]
    assert [stage.receptive_field for stage in cost.stages] == [3, None]


def test_tied_parameters_and_repeated_calls() -> None:
    shared = nn.Conv2d(4, 4, 3, padding=1)
    tied = nn.Conv2d(4, 4, 3, padding=1)
    tied.weight = shared.weight
    cost = measure.cost(nn.Sequential(shared, shared, tied), 16)
    assert cost.params == 4 * 4 * 9 + 4 + 4
    assert [(layer.name, layer.params) for layer in cost.layers] == [("0", 148), ("2", 4)]
    assert [layer.macs for layer in cost.layers] == [2 * 36_864, 36_864]
    assert [layer.activations for layer in cost.layers] == [2 * 1024, 1024]
    assert [layer.receptive_field for layer in cost.layers] == [5, 7]


def test_constants_that_are_no_buffers_take_part() -> None:
    model = Graph(lambda m, x: m.conv(x) * m.scale, conv=nn.Conv2d(3, 4, 3), scale=torch.ones(4, 1, 1))
    assert measure.cost(model, 8).output_shape == (4, 6, 6)


def test_activations_are_the_outputs_of_the_leaf_layers() -> None:
    model = torchvision.models.resnet18().eval()
    elements = []
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _, __, output: elements.append(output.numel()))
    with torch.no_grad():
        model(torch.zeros(1, 3, 64, 64))
    assert measure.cost(model, 64).activations == sum(elements)


def test_frozen_parameters_and_half_precision_count_too() -> None:
    model = lenet().requires_grad_(False)
    assert measure.cost(model, 32).params == measure.cost(model.half(), 32).params == 61_706


@pytest.mark.parametrize("size", [(3, 32, 32), (3, 8, 8)], ids=["runs", "does not run"])
def test_the_given_model_is_left_as_it_was(size: tuple[int, int, int]) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 9), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3, bias=False))
    model[0].mask = torch.ones(3)
    model[3].eval()
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append("hook"))
    tensors = {name: tensor for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    values = copy.deepcopy(model.state_dict())
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    if size == (3, 8, 8):
        with pytest.raises(ValueError, match="does not run"):
            measure.cost(model, size)
    else:
        measure.cost(model, size)
    assert calls == []
    assert [m.training for m in model.modules()] == [True, True, True, True, False]
    assert [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()] == hooks
    assert {name: id(t) for name, t in tensors.items()} == {
        name: id(t) for name, t in (*model.named_parameters(), *model.named_buffers())
    }
    assert all(torch.equal(values[name], tensor) for name, tensor in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad and p.device.type == "cpu" for p in model.parameters())
    assert model[0].mask.device.type == "cpu"
    model(torch.zeros(1, 3, 32, 32))  # nothing that stayed behind watches or breaks a later run
    assert calls == ["hook"]


def test_no_weight_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a weight was copied")

    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", refuse)
    monkeypatch.setattr(Tensor, "__deepcopy__", refuse)
    assert measure.cost(model, 8).params == 120


def test_meta_and_real_models_cost_the_same() -> None:
    real = lenet()
    meta = copy.deepcopy(real).to("meta")
    assert measure.cost(real, 32) == measure.cost(meta, 32)


def test_input_size_takes_its_channels_from_the_first_convolution() -> None:
    assert measure.cost(lenet(), 32) == measure.cost(lenet(), (32, 32)) == measure.cost(lenet(), [1, 32, 32])
    assert measure.cost(nn.Flatten(), (4, 5)).input_shape == (3, 4, 5)
    assert measure.cost(nn.ReLU(), torch.Size([2, 4, 6])).output_shape == (2, 4, 6)


@pytest.mark.parametrize("size", [0, (3, -1, 8), (1, 3, 32, 32), (), "224", 32.0, (3, 32.0, 32), None])
def test_input_size_of_another_form_is_an_error(size: object) -> None:
    with pytest.raises(ValueError, match=r"input_size must be \(channels, height, width\)") as error:
        measure.cost(lenet(), size)
    assert repr(size) in str(error.value)


def fail(m: nn.Module, x: Tensor) -> Tensor:
    raise LookupError("no such thing")


def test_a_model_that_does_not_run_is_one_clear_error() -> None:
    message = r"^VGG does not run on an input of 3×8×8: in features\.15, .*too small"
    with pytest.raises(ValueError, match=message) as error:
        measure.cost(published("vgg11"), 8)
    assert isinstance(error.value.__cause__, RuntimeError)
    with pytest.raises(ValueError, match=r"^Sequential does not run on an input of 3×32×32: in 0, .*channel"):
        measure.cost(lenet(), (3, 32, 32))
    with pytest.raises(ValueError, match=r"^Graph does not run on an input of 3×4×4: in its forward, no such thing$"):
        measure.cost(Graph(fail), 4)


def test_text() -> None:
    model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 8, (3, 1)), nn.AdaptiveAvgPool2d(1))
    expected = """\
Sequential, input 1×32×32
layer  kind               output   params  mult-adds  activations  field  stride
0      Conv2d             6×28×28     156    117,600        4,704  5      1
1      MaxPool2d          6×14×14       0          0        1,176  6      2
2      Conv2d             8×12×14     152     24,192        1,344  10×6   2
3      AdaptiveAvgPool2d  8×1×1         0          0            8  all
total                     8×1×1       308    141,792        7,232  10×6"""
    cost = measure.cost(model, 32)
    assert [line.split() for line in repr(cost).splitlines()] == [line.split() for line in expected.splitlines()]
    assert repr(cost) == repr(cost.table()) == repr(measure.cost(model, 32))


def test_long_models_show_their_stages() -> None:
    cost = measure.cost(published("googlenet", aux_logits=True, init_weights=False), 224)
    assert repr(cost) == repr(cost.table("stage")) != repr(cost.table("layer"))
    assert row(cost, "inception3a").output_shape == (256, 28, 28)  # the concatenation, not the last branch
    lines = repr(cost).splitlines()
    assert len(lines) == len(cost.stages) + 3
    assert lines[-1].split() == ["total", "1000", "13,004,888", "1,498,376,192", f"{cost.activations:,}", "379"]
    assert lines[-2].split() == ["aux2", "InceptionAux", "3,191,016", "0", "0"]
    assert cost._repr_html_() == cost.table("stage")._repr_html_()
    with pytest.raises(ValueError, match='by must be "layer" or "stage"'):
        cost.table("block")


def test_html() -> None:
    html = measure.cost(lenet(), 32)._repr_html_()
    assert html.count("<tr>") == 1 + 9 + 1
    assert ">61,706<" in html and "Sequential, input 1×32×32" in html


def test_a_program_of_torchscript_is_refused() -> None:
    with pytest.raises(ValueError, match="count the module that it was made of"):
        measure.cost(torch.jit.script(nn.Sequential(nn.Conv2d(1, 2, 3))), 32)
