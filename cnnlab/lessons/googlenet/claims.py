"""Lesson 05, GoogLeNet: what is stated about it, beside what was computed or measured."""

from torch import nn

from cnnlab import measure, models
from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, Verdict, compared, register
from cnnlab.models.googlenet import Inception


def _cost(name: str, **options) -> measure.Cost:
    return measure.cost(models.get_model(name, **options), (3, 224, 224))


def _depth() -> int:
    """Layers with weights on the longest way through the network of 2014."""
    model = models.get_model("googlenet_2014")

    def layers(part: nn.Module) -> int:
        return sum(isinstance(layer, (nn.Conv2d, nn.Linear)) for layer in part.modules())

    modules = [module for module in model.modules() if isinstance(module, Inception)]
    return layers(model.stem) + sum(max(map(layers, module.children())) for module in modules) + layers(model.head)


_PAPER = "Szegedy et al. 2014, arXiv 1409.4842"


def _at_chance(least: float, most: float) -> Verdict:
    """Whether it does not train: every seed at chance, which is 10 %, or every seed far from it."""
    return SHOWN if most < 15 else OPPOSITE if least > 30 else NOT_SHOWN


def _helped(least: float, most: float, least_without: float, most_without: float) -> Verdict:
    """Whether every seed ends higher with heads than any without, or every one lower; by two points at least."""
    return SHOWN if least >= most_without + 2 else OPPOSITE if most <= least_without - 2 else NOT_SHOWN


register(
    Claim(
        lesson="05",
        id="params_lecture",
        statement="Parameters of GoogLeNet",
        stated="6.6M",
        source="lecture; torchvision's network, without auxiliary heads",
        verdict=SHOWN,
        compute=lambda: f"{_cost('googlenet').params / 1e6:.1f}M",
    ),
    Claim(
        lesson="05",
        id="params_aux",
        statement="The same with both auxiliary heads",
        stated=13_004_888,
        source="torchvision",
        verdict=SHOWN,
        compute=lambda: _cost("googlenet", aux_heads=True).params,
    ),
    Claim(
        lesson="05",
        id="params_2014",
        statement="Parameters of the network of 2014, the sum of Table 1's column",
        stated="6,798K",
        source=f"{_PAPER}, Table 1, added up",
        verdict=VARIANT,
        compute=lambda: f"{_cost('googlenet_2014').params:,}, which is {_cost('googlenet_2014').params / 1024:,.0f}K",
        why="K is 1,024; of the table's rows several do not fit its own widths; and biases count here",
    ),
    Claim(
        lesson="05",
        id="mult_adds",
        statement="Mult-adds of one image",
        stated="1.5 billion",
        source=f"{_PAPER}, section 1",
        verdict=VARIANT,
        compute=lambda: f"{_cost('googlenet_2014').macs / 1e9:.2f} billion",
        why="the table counts 34M for the first convolution, which takes 118M",
    ),
    Claim(
        lesson="05",
        id="twelve_times",
        statement="Times fewer parameters than AlexNet of 2012",
        stated=12,
        source=f"{_PAPER}, section 1",
        verdict=VARIANT,
        compute=lambda: round(60_965_224 / _cost("googlenet_2014").params, 1),
        why="60.97M by 7.00M; the paper's own table gives no more",
    ),
    Claim(
        lesson="05",
        id="depth",
        statement="Layers with parameters",
        stated=22,
        source=f"{_PAPER}, section 5",
        verdict=SHOWN,
        compute=_depth,
    ),
    Claim(
        lesson="05",
        id="five_by_five",
        statement="Kernel of an Inception module's third branch, in the network that libraries call GoogLeNet",
        stated="5 x 5",
        source=f"{_PAPER}, Fig. 2",
        verdict=VARIANT,
        compute=lambda: "{} x {}".format(*models.get_model("googlenet").stages[0][0].branch5x5.conv.conv.kernel_size),
        why="an old slip of torchvision's, which its released weights have made permanent",
    ),
    Claim(
        lesson="05",
        id="aux_weight",
        statement="Weight of each auxiliary loss",
        stated=0.3,
        source=f"{_PAPER}, section 5",
        verdict=SHOWN,
        compute=lambda: models.get_model("googlenet_tiny", aux_heads=True).aux_weight,
    ),
    Claim(
        lesson="05",
        id="reduction",
        statement="1 x 1 convolutions make the module affordable: how many times the mult-adds the naive one takes",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:.1f} to {:.1f}, in each module of Table 1",
        judge=lambda least, most: compared(least - 1, least=0.1),
    ),
    Claim(
        lesson="05",
        id="gradient",
        statement="Auxiliary classifiers carry gradient to the first layers: times that they make it there (Glorot's"
        " weights, two sizes of pixels)",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:.1f} to {:.1f} times",
        judge=lambda least, most: compared(least - 1, least=0.2),
    ),
    Claim(
        lesson="05",
        id="needed",
        statement="Without them the first layers get hardly any: the gradient of the stem's weights beside that of the"
        " last module's, without heads (Glorot's weights, pixels as in 2014)",
        stated="a concern",
        source=f"{_PAPER}, section 5",
        verdict=OPPOSITE,
        figure="{:.2g} beside {:.2g}",
        judge=lambda stem, last: compared(0.2 - stem / last, least=0.15),
        why="the pixels, sixty times as large as today's, are a factor of it; hardly more than with today's comes back",
    ),
    Claim(
        lesson="05",
        id="batch_norm",
        statement="Auxiliary classifiers carry gradient to the first layers: times that they make it there, in the"
        " network with batch norm that is called GoogLeNet today",
        stated="in words",
        source="lecture",
        verdict=NOT_SHOWN,
        figure="{:.2f} to {:.2f} times",
        judge=lambda least, most: compared(least - 1, least=0.2),
        why="batch norm keeps the gradient up by itself; it would take a network that does not",
    ),
    Claim(
        lesson="05",
        id="end_to_end",
        statement="Without auxiliary heads it does not train end to end: accuracy of 2014's network without heads,"
        " Glorot's weights, pixels as in 2014 (16 epochs, lowest and highest of 3 seeds)",
        stated="in words",
        source="lecture",
        verdict=OPPOSITE,
        figure="{:.0f} to {:.0f} %",
        judge=_at_chance,
        why="a network of the same depth and an eighth of the width, on images of 16 x 16, learns without them",
    ),
    Claim(
        lesson="05",
        id="end_to_end_1",
        statement="The same with pixels of today",
        stated="in words",
        source="lecture",
        verdict=SHOWN,
        figure="{:.0f} to {:.0f} %",
        judge=_at_chance,
    ),
    *(
        Claim(
            lesson="05",
            id=id,
            statement=statement,
            stated="in words",
            source="lecture",
            verdict=verdict,
            figure="{:.0f} to {:.0f} % beside {:.0f} to {:.0f} %",
            judge=_helped,
            why=why,
        )
        for id, statement, verdict, why in (
            (
                "glorot_128",
                "The heads help the training: test accuracy with heads beside that without, 2014's network, Glorot's"
                " weights, pixels as in 2014 (16 epochs, a learning rate for each arm, 3 seeds)",
                NOT_SHOWN,
                "the mean is higher with heads, but the best without them passes the worst with them",
            ),
            (
                "glorot_long",
                "The same after 40 epochs",
                NOT_SHOWN,
                "all learn their training images, and the means are four points apart, through a single seed: it"
                " takes more seeds",
            ),
            (
                "he_128",
                "The same from He's weights, pixels as in 2014, 16 epochs",
                NOT_SHOWN,
                "with heads two seeds end highest of all, and the third stays at chance",
            ),
            ("he", "The same from He's weights, pixels of today, 16 epochs", SHOWN, ""),
            (
                "glorot",
                "The same from Glorot's weights, pixels of today, 16 epochs",
                NOT_SHOWN,
                "none learns without heads; with them two seeds do, and the third stays at chance",
            ),
            (
                "trained_bn",
                "The same with batch norm, 16 epochs",
                NOT_SHOWN,
                "the means are a point apart, the seeds ten: an effect so small takes many more seeds",
            ),
        )
    ),
    Claim(
        lesson="05",
        id="relatively_minor",
        statement="The effect of the heads, looked at again by the authors",
        stated="around 0.5 %",
        source="Szegedy et al. 2015, the version in the proceedings of CVPR, section 5",
        verdict=REPORTED,
        why="half a point takes ImageNet",
    ),
    Claim(
        lesson="05",
        id="minute",
        statement="Cheaper than VGG, and as good: accuracy after the same minute on one core, beside VGG-16 with batch"
        " norm",
        stated="6.67 and 7.3 % top-5 error",
        source="ILSVRC 2014",
        verdict=OPPOSITE,
        figure="{:.1f} % beside {:.1f} %",
        judge=lambda ours, theirs: compared(ours - theirs, least=1.5),
        why="small networks, images of 32 x 32: GoogLeNet gets through half as many of them a second",
    ),
    Claim(
        lesson="05",
        id="accuracy",
        statement="Top-1 and top-5 accuracy on ImageNet",
        stated="69.8 / 89.5 %",
        source="lecture; torchvision's weights",
        verdict=REPORTED,
        why="the weights are a download, and ImageNet has to be asked for",
    ),
    Claim(
        lesson="05",
        id="ilsvrc",
        statement="Top-5 error in ILSVRC 2014, seven networks, 144 crops of each image",
        stated="6.67 %",
        source=f"{_PAPER}, section 7",
        verdict=REPORTED,
        why="it needs ImageNet and seven trainings",
    ),
    Claim(
        lesson="05",
        id="average_pooling",
        statement="Average pooling in place of fully-connected layers, in top-1 accuracy",
        stated="+ 0.6 %",
        source=f"{_PAPER}, section 5",
        verdict=REPORTED,
        why="it needs ImageNet",
    ),
)
