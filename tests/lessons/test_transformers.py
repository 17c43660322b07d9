"""The instruments of lesson 14: what heads look at, a convolution made of attention, what grew together."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import course, data, measure, models
from cnnlab.lessons.transformers import exercises, record, study
from cnnlab.models.vit import ViT
from cnnlab.training.run import Epoch, Run

TASKS = {task.id: task for task in course.exercises("14")}


def test_the_shares_are_those_that_the_layer_uses():
    model = models.get_model("vit_b_16_tiny").eval()
    nn.init.normal_(model.stages[0][1].attention.in_proj_weight)  # far from equal shares
    images = torch.randn(2, 3, 32, 32)
    shares = study.attention(model, images)
    assert len(shares) == 4 and shares[1].shape == (2, 4, 17, 17) and shares[1].max() > 0.5
    norm, layer = model.stages[0][1].norm1, model.stages[0][1].attention
    with torch.no_grad():
        x = norm(model.stages[0][0](model.stem(images)))
        values = F.linear(x, layer.in_proj_weight, layer.in_proj_bias).unflatten(2, (3, 4, 16))[:, :, 2].transpose(1, 2)
        assert torch.allclose(layer.out_proj((shares[1] @ values).transpose(1, 2).flatten(2)), layer(x), atol=1e-4)


@pytest.mark.parametrize(("channels", "out", "height", "width"), [(3, 5, 6, 8), (1, 4, 3, 3)])
def test_attention_does_what_a_convolution_does_and_pads_with_zeros(channels, out, height, width):
    convolution, images = nn.Conv2d(channels, out, 3, padding=1), torch.randn(2, channels, height, width)
    layer = study.convolution_as_attention(convolution, height, width)
    with torch.no_grad():
        tokens = layer(study.as_tokens(images))[:, :-1, :out]
        assert torch.allclose(tokens.transpose(1, 2).unflatten(2, (height, width)), convolution(images), atol=1e-5)


def test_the_best_are_sorted_and_the_transformers_are_known():
    best = study.torchvisions_best(1000)
    assert len(best) == 80 and best == sorted(best, key=lambda network: -network["top1"])
    by_name = {network["name"]: network for network in best}
    assert by_name["vit_b_16"]["top1"] == 85.304 and by_name["vit_b_16"]["elsewhere"]
    assert {by_name[name]["kind"] for name in ("swin_t", "maxvit_t", "vit_h_14")} == {"transformer"}
    assert by_name["convnext_base"] | {"gmacs": 0} == {
        "name": "convnext_base",
        "kind": "convolutions",
        "elsewhere": False,
        "top1": 84.062,
        "gmacs": 0,
    }


GROWN = course.record("growing_together")
REACHED = study.growing(GROWN)
STEM = "ViT, convolutional stem"


def test_every_training_is_as_long_as_the_lesson_says():
    for arm, (network, images, epochs) in record.growing_arms().items():
        for run in GROWN.results[arm]["seeds"]:
            assert len(run["curve"]) == epochs
            assert epochs == study.EPOCHS[network] * (1 + ("twice" in arm)), arm
        digits = record.growing_digits(images, 0, study.LEAST[network])
        assert len(digits.train) * study.EPOCHS[network] // 32 == study.steps(network, images)
    assert {study.steps("ViT", images) for images in record.COUNTS} == {10_000}


def test_the_work_of_the_resnet_and_of_the_vit_with_a_stem_is_about_the_same():
    macs = {name: measure.cost(record.growing_network(name, 0), 32).macs for name in study.GROWING}
    for images in record.COUNTS:
        work = {name: macs[name] * study.steps(name, images) for name in study.GROWING}
        assert 0.85 < work[STEM] / work["ResNet"] < 1
        assert work["ViT"] > 1.3 * work["ResNet"] or images == 16000
    rows = study.gaps(REACHED, macs).rows
    assert [row[-1] for row in rows if row[0] == "ViT"] == ["2.7", "2.7", "2.7", "1.4", "0.7"]
    assert {row[-1] for row in rows if row[0] == STEM} == {"0.9"}


def test_more_images_bring_the_vit_nearer_in_points_and_only_with_the_stem_in_errors():
    """With tolerances of a few points: seeds of the plain ViT are up to eight apart."""
    for name in study.GROWING[1:]:
        gaps = study.behind(REACHED, name)
        assert gaps[0] > 30 and gaps[-1] < gaps[1] / 2
        assert all(min(REACHED["ResNet", n]) > max(REACHED[name, n]) for n in record.COUNTS)
    plain, stem = (study.times_the_errors(REACHED, name) for name in study.GROWING[1:])
    assert min(plain) > 4 and plain[-1] > 0.8 * plain[0]
    assert min(stem[:2]) > 3 > max(stem[-2:])


def test_no_vit_was_at_a_plateau_and_longer_training_lets_neither_catch_up():
    longer, gains = study.longer(GROWN), study.gains(GROWN)
    assert min(gains[STEM]) > 0.5 and min(gains["ViT"]) > 0
    for name in study.GROWING[1:]:
        assert max(longer[name + study.TWICE]) < min(longer["ResNet"])


def test_without_positions_a_vit_reads_more_than_a_guesser_and_far_less_than_with_them():
    always, never = study.with_positions(course.record("positions")).values()
    assert min(never) > 15 and max(never) < min(always) - 20


def test_every_rate_lies_inside_its_grid():
    assert study.all_inside(GROWN)
    assert max(study.validated(GROWN, "ViT, 500 images").values()) < 25  # whatever the rate


def test_what_grew_together_is_read_by_network_and_images_without_the_arm_that_was_trained_longer():
    runs = [{"seed": 1, "curve": [[0.2, 0.1], [0.9, 0.7]], "test": 0.5}, {"seed": 0, "curve": [[1, 0.8]], "test": 0.4}]
    arms = ("ViT, 8 images, twice the epochs", "ResNet, 8 images", "ViT, 8 images", "ViT, stem, 4 images")
    recorded = SimpleNamespace(results={arm: {"rates": [], "seeds": runs} for arm in arms})
    assert list(study.growing(recorded)) == [("ViT, stem", 4), ("ResNet", 8), ("ViT", 8)]
    assert study.growing(recorded)["ViT", 8] == [40, 50]
    assert study.growing(recorded, "training")["ViT", 8] == [100, 90]
    assert sorted(study.longer(recorded, images=8)) == ["ResNet", "ViT", "ViT, twice the epochs"]


def test_a_network_is_behind_by_the_means_of_its_seeds():
    reached = {("ResNet", 9): [80.0], ("ViT", 9): [90.0], ("ResNet", 3): [60.0, 80.0], ("ViT", 3): [30.0, 20.0]}
    assert study.behind(reached) == [45, -10]
    assert study.times_the_errors(reached) == [2.5, 0.5]


def test_patches_are_a_convolution():
    task = TASKS["14.patches"]
    for images, weight, bias in task.arguments():
        maps = F.conv2d(images, weight, bias, stride=weight.shape[-1])
        torch.testing.assert_close(
            task.made(task.solution)(images, weight, bias), maps.flatten(2).transpose(1, 2), atol=1e-4, rtol=1e-4
        )


def test_attention_by_hand_is_pytorchs():
    task = TASKS["14.attend"]
    for case in task.arguments():
        expected = F.scaled_dot_product_attention(*(part[None] for part in case))[0]
        torch.testing.assert_close(task.made(task.solution)(*case), expected)


def test_the_two_products_cost_what_the_network_counts():
    task = TASKS["14.attention-cost"]
    for size, patch, width in task.arguments()[1:]:  # the first is too narrow for four heads
        with torch.device("meta"):
            vit = ViT(size, patch, width, depth=1, heads=4, mlp_width=8)
            layers = measure.cost(vit, size).layers
        tokens = (size // patch) ** 2 + 1
        products = sum(layer.macs for layer in layers if ".attention" in layer.name) - 4 * tokens * width * width
        assert task.made(task.solution)(size, patch, width) == products


@torch.no_grad()
def test_shifts_that_go_unnoticed_are_found_by_trying():
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.manual_seed(0)
    networks = [_three_convolutions(1), _three_convolutions(2), study.small_vit(), study.small_vit()]
    for vit in networks[2:]:
        nn.init.normal_(vit.head[-1].weight)  # it begins at zero, and would hide everything
    nn.init.zeros_(networks[2].stem.positions.pos_embedding)
    found = []
    for network in networks:
        network.double().eval()
        logits = network(image)
        same = (
            s for s in range(1, 33) if torch.allclose(network(image.roll((s, s), (2, 3))), logits, atol=1e-9, rtol=0)
        )
        found.append(next(same))
    task = TASKS["14.shift"]
    assert tuple(found) == task.made(task.solution)


def _three_convolutions(stride: int) -> nn.Module:
    layers = [nn.Conv2d(3, 8, 3, 1, 1, padding_mode="circular"), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Conv2d(8, 8, 3, stride, 1, padding_mode="circular"), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


def test_neighbours_are_alike_where_positions_are_smooth_and_not_where_they_are_random():
    rows = torch.linspace(0, 1, 4)
    smooth = torch.cartesian_prod(rows, rows)
    waves = torch.cat([torch.cos(3 * smooth), torch.sin(3 * smooth)], 1)
    near, rest = study.neighbours(torch.cat([torch.zeros(1, 4), waves])[None])
    assert near > rest + 0.5
    near, rest = study.neighbours(torch.eye(17)[None])
    assert near == rest == 0


def test_middle_and_rim_look_like_neighbourhood_until_the_rim_is_looked_at_alone():
    middle = torch.zeros(4, 4)
    middle[1:3, 1:3] = 1
    groups = torch.cat([torch.zeros(1, 2), torch.stack([middle, 1 - middle], 2).flatten(0, 1)])[None]
    near, rest = study.neighbours(groups)
    assert near > rest + 0.02
    assert study.neighbours(groups, rim=True) == (1, 1)


def test_heads_that_give_everyone_the_same_look_as_far_as_places_are_apart_and_follow_nothing():
    model = models.get_model("vit_b_16_tiny", depth=1)
    nn.init.zeros_(model.stages[0][0].attention.in_proj_weight)
    table, follow = study.heads(model, torch.randn(3, 3, 32, 32))
    assert max(follow) < 1e-6 and len(follow) == 4
    assert {row[1] for row in table.rows} == {"2.01"}


def test_a_token_left_out_gives_its_share_to_the_others():
    shares, values = torch.tensor([0.9, 0.05, 0.05]), torch.tensor([[0.0], [1.0], [-1.0]])
    changes = exercises.changes_without(shares, values)
    assert changes == pytest.approx([0, 0.05 / 0.95, 0.05 / 0.95])


def test_any_set_comes_in_three_channels_of_32_pixels():
    faces = study.for_vit(data.load("handwritten", train=20, test=10))
    assert faces.train.shape == (3, 32, 32) and faces.test.shape == (3, 32, 32)


def test_the_title_names_the_lowest_and_the_highest_end():
    def run(*accuracies):
        return Run(nn.Identity(), [Epoch(i, 1.0, 0.5, 1.0, a, 0.1, 1.0) for i, a in enumerate(accuracies, 1)])

    picture = study.by_epoch({"one": run(0.1, 0.5), "two": run(0.3, 0.2), "three": run(0.1, 0.9)})
    assert "After 2 epochs: from 20 % (two) to 90 % (three)" in picture.alt
