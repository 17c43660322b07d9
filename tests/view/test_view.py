"""Pictures carry their alternative text into a notebook; widgets follow their controls."""

import asyncio
import io
import threading
import warnings

import pytest
import torch
from matplotlib import cbook
from PIL import Image, ImageChops, ImageStat
from torch import nn

from cnnlab import measure, models, training, view
from cnnlab.models.nasnet import NORMAL_A, REDUCTION_A


@pytest.fixture(scope="module")
def maps():
    torch.manual_seed(0)
    layers = {"C1": "stem.C1", "S2": "stem.S2", "F6": "head.F6"}
    return measure.feature_maps(models.get_model("lenet5"), torch.randn(1, 32, 32), layers)


def history(*accuracies: float) -> training.Run:
    epochs = [training.Epoch(i + 1, 2 - a, a, 2.1 - a, a - 0.1, 0.1, 1.0) for i, a in enumerate(accuracies)]
    return training.Run(torch.nn.Identity(), epochs, 100)


def pictures(maps):
    gallery = torch.randint(0, 255, (5, 3, 8, 8), dtype=torch.uint8)
    yield view.images(gallery, list("abcde"), title="Five", wrong=[True, False])
    yield view.images(gallery[:1, :1], title="One image alone")
    yield view.filters(torch.randn(6, 1, 5, 5))
    yield view.feature_maps(maps)
    yield view.ribbon(maps, title="A ribbon")
    yield view.cell({"normal": NORMAL_A, "reduction": REDUCTION_A}, title="Cells")
    yield view.curves(history(0.5, 0.8))
    yield view.curves({"a": history(0.5), "b": history(0.7)})
    yield view.panels({"photo": torch.rand(9, 9), "kernel": torch.randn(3, 3)})
    yield view.scatter({"a": (1.0, 2.0), "b": (3.0, 4.0)}, x="cost", y="gain", bold=["b"])


def test_logarithmic_axes_have_plain_numbers():
    axis = view.scatter({"a": (90, 0.5), "b": (2000, 20)}, x="cost", y="errors", log="xy").figure.axes[0]
    axis.figure.draw_without_rendering()
    texts = [
        [tick.get_text() for tick in labels if tick.get_text()]
        for labels in (axis.get_xticklabels(), axis.get_yticklabels())
    ]
    assert {"100", "200", "1,000"} <= set(texts[0]) and {"0.5", "1", "20"} <= set(texts[1])
    long = view.scatter({"a": (1, 1), "b": (1e6, 2)}, x="cost", y="errors").figure.axes[0]
    assert long.get_xscale() == "log" and long.get_yscale() == "linear"


@pytest.mark.slow  # draws one of each kind
def test_every_picture_is_a_png_with_alternative_text(maps):
    for picture in pictures(maps):
        data, metadata = picture._repr_mimebundle_()
        assert data["image/png"].startswith(b"\x89PNG")
        assert len(metadata["image/png"]["alt"]) > 20
        assert metadata["image/png"]["alt"] in data["text/plain"]


def test_a_chart_is_stored_in_few_colours_and_a_photograph_in_all():
    chart = view.lines({"a": [1, 2, 3], "b": [3, 2, 1]}, x="step", y="loss", title="Two lines cross")
    photograph = view.images(torch.randint(256, (1, 3, 32, 32), dtype=torch.uint8), title="Noise of many colours")
    for picture, mode in ((chart, "P"), (photograph, "RGB")):
        stored = Image.open(io.BytesIO(picture.png()))
        drawn = io.BytesIO()
        picture.figure.savefig(drawn, format="png")
        assert stored.mode == mode and stored.info["Description"] == picture.alt
        apart = ImageChops.difference(stored.convert("RGB"), Image.open(drawn).convert("RGB"))
        assert max(ImageStat.Stat(apart).mean) < 0.2


def test_a_cell_says_what_it_computes():
    picture = view.cell(NORMAL_A)
    assert "b1 = sep5(h) + sep3(p)" in picture.alt and picture.alt.endswith("out = p, b1, b2, b3, b4, b5.")
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert texts.count("+") == 5 and texts.count("avg3") == 3 and texts.count("out") == 1


def test_curves_say_their_last_figures():
    assert "80.0% in training, 70.0% on test images" in view.curves(history(0.5, 0.8)).alt


def test_curves_say_on_what_images_they_were_measured():
    picture = view.curves({"a": history(0.5, 0.8)}, tested="validation")
    assert "70.0% on validation images" in picture.alt and "test" not in picture.alt
    labels = [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()]
    assert labels == ["a, validation", "a, train"]


def test_known_images_are_drawn_of_runs_and_of_records_alike():
    runs = {"one": history(0.25, 0.5), "other": history(0.5, 0.75)}
    picture = view.in_training(runs, "Twins", batch_size=30)  # 100 images: 4 steps an epoch
    assert picture.alt.startswith("Twins, after 8 steps: one 50 %, other 75 %. accuracy on training images (%)")
    assert view.in_training(runs, batch_size=30).alt.startswith("After 8 steps, in training: one 50 %")
    seeds = view.in_training({"one": [[25, 40], [35, 60]]}, "Recorded")
    assert seeds.alt.startswith("Recorded: one 50 %. ") and "one from 30 to 50" in seeds.alt


def test_images_mark_mistakes_by_a_sign_and_not_by_colour_alone(maps):
    picture = view.images(torch.rand(2, 1, 4, 4), ["3", "5"], wrong=[True, False])
    titles = [axis.get_title() for axis in picture.figure.axes]
    assert titles == ["✗ 3", "5"]


def test_the_ribbon_shows_each_layer_by_name_and_shape(maps):
    alt = view.ribbon(maps).alt
    assert all(part in alt for part in ("input 1x32x32", "C1 6x28x28", "S2 6x14x14", "F6 84"))


def test_a_title_that_is_too_long_for_one_line_takes_two():
    title = "Of the training images, by epoch: " + ", ".join(f"network {number} 100 %" for number in range(8))
    figures = [view.figure(size=(8, 3), title=text)[0] for text in (title, "Short")]
    for figure in figures:
        figure.draw_without_rendering()
        assert figure.get_suptitle() and figure._suptitle.get_window_extent().x1 <= figure.bbox.x1
    heights = [figure._suptitle.get_window_extent().height for figure in figures]
    assert heights[0] > 1.5 * heights[1]
    axes_top = figures[0].axes[0].get_window_extent().y1
    assert axes_top < figures[0]._suptitle.get_window_extent().y0


def test_feature_maps_are_what_the_layers_put_out(maps):
    assert list(maps) == ["input", "C1", "S2", "F6"]
    assert maps["C1"].shape == (6, 28, 28) and maps["F6"].shape == (84,)
    pooled = torch.nn.functional.avg_pool2d(torch.tanh(maps["C1"]), 2)
    assert torch.allclose(maps["S2"], pooled, atol=1e-5)
    with pytest.raises(ValueError, match=r"no layer 'C9'.*stem\.C1"):
        measure.feature_maps(models.get_model("lenet5"), torch.zeros(1, 32, 32), {"C9": "C9"})


def test_source_lists_the_code_as_it_stands():
    listing = view.source(models.lenet.Subsampling)
    assert repr(listing).startswith("class Subsampling(nn.Module):")
    assert "cnnlab/models/lenet.py" in listing._repr_html_()


def draw(width=3, kind="a"):
    if width == 4:
        raise ValueError("four does not fit")
    return view.panels({kind: torch.full((width, width), 1.0)}, title=f"{kind} {width}")


def test_an_explorer_follows_its_controls():
    explorer = view.explore(draw, width=(1, 6), kind=["b", "a"])
    assert explorer.picture.alt.startswith("a 3")  # the defaults of draw
    first = explorer._shown.value
    picture = explorer.set(width=5, kind="b")
    assert picture.alt.startswith("b 5") and explorer._shown.value != first
    assert "data:image/png;base64," in explorer._shown.value and 'alt="b 5' in explorer._shown.value


def test_an_explorer_draws_one_picture_for_all_that_is_set_together():
    drawn = []

    def counted(width=3, kind="a"):
        drawn.append((width, kind))
        return draw(width, kind)

    explorer = view.explore(counted, width=(1, 6), kind=["b", "a"])
    explorer.set(width=5, kind="b")
    assert drawn == [(3, "a"), (5, "b")]
    explorer.controls["width"].value = 2  # by hand
    assert drawn[2:] == [(2, "b")]
    with pytest.raises(KeyError):
        explorer.set(depth=1)
    explorer.controls["width"].value = 6
    assert drawn[3:] == [(6, "b")]


def test_an_explorer_that_is_moved_in_another_thread_draws_in_its_own_when_no_cell_runs():
    drawn = []

    def shown(width=3):
        drawn.append((width, threading.current_thread()))
        return draw(width)

    async def kernel():
        explorer = view.explore(shown, width=(1, 6))
        for width in (5, 6, 2):
            mover = threading.Thread(target=setattr, args=(explorer.controls["width"], "value", width))
            mover.start()
            mover.join()
        assert len(drawn) == 1  # at the beginning: this cell is still running
        await asyncio.sleep(0)
        assert drawn[1:] == [(2, threading.main_thread())] and explorer.picture.alt.startswith("a 2")

    asyncio.run(kernel())


def test_an_impossible_combination_shows_why_and_the_explorer_goes_on():
    explorer = view.explore(draw, width=(1, 6), kind=["a", "b"])
    explorer.set(width=4)
    assert "four does not fit" in explorer._shown.value
    assert explorer.set(width=2).alt.startswith("a 2")


def test_an_explorer_leaves_the_picture_of_its_first_state():
    explorer = view.explore(draw, width=(1, 6), kind=["a", "b"])
    before = explorer._repr_mimebundle_()[0]["text/plain"]
    explorer.set(width=5)
    data, metadata = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data and data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == before and metadata["image/png"]["alt"]


def test_a_control_that_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="width=None"):
        view.explore(draw, width=None)


def test_controls_carry_their_names():
    explorer = view.explore(lambda kernel_size: draw(kernel_size), kernel_size=(1, 3))
    assert explorer.controls["kernel_size"].description == "kernel size"


def test_a_confusion_matrix_says_how_many_are_right():
    counts = torch.tensor([[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    picture = view.confusion(counts, ["cat", "dog"], title="mine")
    assert picture.alt == "mine. 5 of 6 images are right."
    axis = picture.figure.axes[0]
    assert [text.get_text() for text in axis.texts] == ["3", "1", "0", "2"]
    assert len(view.confusion(torch.eye(30, dtype=torch.int64), list(map(str, range(30)))).figure.axes[0].texts) == 0


def test_feature_maps_leave_each_module_in_its_mode():
    model = models.get_model("lenet5").train()
    model.stem.eval()  # frozen, say
    before = [module.training for module in model.modules()]
    measure.feature_maps(model, torch.zeros(1, 32, 32))
    assert [module.training for module in model.modules()] == before


def test_of_a_layer_with_several_outputs_the_first_is_taken():
    class Attentive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 1, batch_first=True)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            tokens = images.flatten(2).transpose(1, 2)
            return self.attention(tokens, tokens, tokens)[0]

    maps = measure.feature_maps(Attentive(), torch.zeros(4, 3, 3), {"a": "attention"})
    assert maps["a"].shape == (9, 4)  # tokens x features, of one image


def test_an_error_in_a_callback_is_shown_in_the_place_of_the_picture():
    """JupyterLab writes it into a log that nobody opens, and the picture of before would stay."""

    def broken(width=3):
        return view.panels({"a": torch.ones(width, width) @ torch.ones(3, 3)})

    explorer = view.explore(broken, width=(1, 6))
    explorer.controls["width"].value = 4
    assert "⚠ RuntimeError: mat1 and mat2" in explorer._shown.value
    with pytest.raises(RuntimeError):
        explorer.set(width=5)
    with pytest.raises(RuntimeError):
        view.explore(lambda width: broken(width), width=(4, 6))


def test_an_explorer_may_begin_where_nothing_can_be_drawn():
    explorer = view.explore(lambda width=4: draw(width), width=(1, 6))
    assert "four does not fit" in explorer._shown.value
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == "Explorer of width. Its first values cannot be together."
    assert explorer.set(width=2).alt.startswith("a 2")


def test_dollars_in_names_are_dollars():
    """Between two of them matplotlib would read a formula, or fail."""
    names = ["$5 and $10", "$a_{$"]
    confusion = view.confusion(torch.eye(2, dtype=torch.int64), names)
    gallery = view.images(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), names)
    lines = view.curves({names[0]: history(0.5), names[1]: history(0.7)})
    shown = list(confusion.figure.axes[0].get_xticklabels())
    shown += [axis.title for axis in gallery.figure.axes] + lines.figure.axes[0].get_legend().texts
    for text in shown:
        assert "$" in text.get_text() and not cbook.is_math_text(text.get_text())
    assert all(picture.png().startswith(b"\x89PNG") for picture in (confusion, gallery, lines))


def test_long_names_leave_room_for_the_matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib's, that there is none
        assert view.confusion(torch.eye(2, dtype=torch.int64), ["x" * 200, "y"]).png().startswith(b"\x89PNG")


def test_a_picture_is_written_as_what_its_name_says(tmp_path):
    picture = view.confusion(torch.eye(2, dtype=torch.int64), ["a", "b"])
    picture.save(tmp_path / "a.PNG")
    for wrong in ("a.pdf", "a.jpg", "a"):
        with pytest.raises(ValueError, match=r"must end in \.png"):
            picture.save(tmp_path / wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["a.PNG"]
