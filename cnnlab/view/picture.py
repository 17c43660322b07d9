"""A figure with its alternative text: what every drawing of the course returns."""

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rcParams, style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image, ImageChops, ImageStat
from PIL.PngImagePlugin import PngInfo

style.use(Path(__file__).with_name("cnnlab.mplstyle"))
# For names of classes in signs that the font does not have; each is taken where a system has it.
_EASTERN = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC"),
    *("Hiragino Sans", "Malgun Gothic", "Noto Sans Devanagari", "Noto Sans Thai"),
)
_INSTALLED = {font.name for font in fontManager.ttflist}
rcParams["font.family"] = [*rcParams["font.family"], *(name for name in _EASTERN if name in _INSTALLED)]

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY = "#222222", "#767676"
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", VERMILLION])  # negative, zero, positive


class Picture:
    """A drawn figure that a notebook stores as PNG with its alternative text.

    alt: what the picture shows, for those who do not see it, with its main numbers. A notebook's text output is the
    same text, so that a comparison of outputs notices when a figure starts to say something else.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def png(self) -> bytes:
        """The figure as PNG. A chart has 256 colours at most: it looks the same, and takes a third of the space."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png")
        return compact(buffer, self.alt)

    def save(self, path: str | Path) -> None:
        """Write the picture as PNG. Raises ValueError where the file's name says that it is something else."""
        if Path(path).suffix.lower() != ".png":
            raise ValueError(f"A picture is written as PNG: its file must end in .png, not as {str(path)!r} does.")
        Path(path).expanduser().write_bytes(self.png())

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        width = round(self.figure.get_figwidth() * 100)  # CSS pixels; the file has more, for sharp screens
        bundle = {"image/png": self.png(), "text/plain": repr(self)}
        return bundle, {"image/png": {"alt": self.alt, "width": width}}


def compact(png: io.BytesIO, alt: str) -> bytes:
    """A PNG in 256 colours if that moves the mean of no channel by 0.2 grey levels, as in charts, or else in all."""
    image = Image.open(png).convert("RGB")
    chart = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    if max(ImageStat.Stat(ImageChops.difference(image, chart.convert("RGB"))).mean) < 0.2:
        image = chart
    about, out = PngInfo(), io.BytesIO()
    about.add_itxt("Description", alt)
    image.save(out, "PNG", pnginfo=about)
    return out.getvalue()


def plain(text: str) -> str:
    """A name as it is: two dollar signs would make a formula of what stands between them."""
    return text.replace("$", r"\$")


def figure(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float] | None = None, title: str = "", **subplots
) -> tuple[Figure, Sequence[Axes] | Axes]:
    """A figure in the course's style and its axes: one, or an array. `size` in inches; end with `Picture(fig, alt)`."""
    fig = Figure(figsize=size)
    axes = fig.subplots(rows, columns, **subplots)
    if title:
        entitle(fig, title)
    return fig, axes


def entitle(fig: Figure, title: str) -> None:
    """A title at the upper left, in several lines where the figure is too narrow for one."""
    fig.suptitle(title, x=0.01, ha="left", weight="bold", size=11, wrap=True)


def blank(axes: Axes) -> Axes:
    """Axes for an image: no ticks, no frame, no grid."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes
