"""Lesson 08, loss surfaces: what is stated about it, beside what was computed or measured."""

from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, VARIANT, Claim, register
from cnnlab.lessons.records import record

_MANY = 10  # local minima on 25 x 25 points, from which on a surface is called chaotic here
_FEW = 5
_DOWN = 0.3  # descent outwards, likewise

register(
    Claim(
        lesson="08",
        id="skips",
        statement="With skip connections the loss surface of ResNet-56 is smooth, without them it is chaotic: the"
        " paper's own two networks, drawn again",
        stated="in words",
        source="lecture; Li et al. 2018, figure 1",
        verdict=SHOWN,
        figure="local minima {:.0f} and {:.0f}, descent outwards {:.2f} and {:.2f}",
        judge=lambda smooth, plain, with_skips, without: (
            SHOWN
            if plain >= _MANY and without >= _DOWN and smooth <= _FEW
            else OPPOSITE
            if smooth > plain
            else NOT_SHOWN
        ),
        why="as the paper draws it: with the batch norms' statistics of the centre at every point",
    ),
    Claim(
        lesson="08",
        id="every_plain",
        statement="Without skip connections the surface of a deep network is chaotic, whatever its training: our own"
        " network of 56 plain layers",
        stated="as figure 1 is often read",
        source="lecture",
        verdict=OPPOSITE,
        figure="local minima {:.0f}, descent outwards {:.2f}",
        judge=lambda minima, descent: OPPOSITE if minima <= _FEW and descent < _DOWN / 2 else NOT_SHOWN,
        why="trained for 28 epochs at a small learning rate, it lies in a bowl",
    ),
    Claim(
        lesson="08",
        id="recipe",
        statement="Trained by the paper's recipe, 56 plain layers come to lie among mountains, and 56 with shortcuts"
        " in a bowl: our own pair, in 300 epochs without and 132 with shortcuts",
        stated="in figure 1, after 300",
        source="Li et al. 2018, sections 4 and 6",
        verdict=NOT_SHOWN,
        figure="local minima {:.0f} without and {:.0f} with shortcuts, descent outwards {:.2f} and {:.2f}",
        judge=lambda plain, smooth, without, with_skips: (
            SHOWN
            if plain >= _MANY and without >= _DOWN and smooth <= _FEW
            else OPPOSITE
            if smooth > plain + _FEW
            else NOT_SHOWN
        ),
        why="in 60 epochs and in 132, both lie in a bowl; after 300 the plain one has more dents, and a fifth of the"
        " mountains of the paper's",
    ),
    Claim(
        lesson="08",
        id="statistics",
        statement="The mountains of figure 1 come from the batch norms' statistics, which every point of the map has"
        " from the network in the centre: local minima without shortcuts as drawn, and with each point's own",
        stated="a suspicion",
        source="this lesson",
        verdict=SHOWN,
        figure="{:.3g} and {:.3g}",
        judge=lambda centre, own: (
            SHOWN if own <= _FEW and own < centre / 4 else OPPOSITE if own >= _MANY else NOT_SHOWN
        ),
        why="on two maps of two; a network keeps its batch norms wherever the picture moves its filters",
    ),
    Claim(
        lesson="08",
        id="shallow",
        statement="A plain network of 20 layers lies in a convex basin: local minima of the twins with shortcuts and"
        " without",
        stated="in words",
        source="Li et al. 2018, section 6",
        verdict=SHOWN,
        figure="{:.0f} and {:.0f}",
        judge=lambda _, plain: SHOWN if plain <= 3 else NOT_SHOWN,
    ),
    Claim(
        lesson="08",
        id="errors",
        statement="Errors on CIFAR-10 of ResNet-56, and of the same network without shortcuts",
        stated="5.89 %, 13.31 %",
        source="Li et al. 2018, figures 1 and 5",
        verdict=VARIANT,
        compute=lambda: ", ".join(
            f"{100 * (1 - record(name).results['on_the_way'][epochs]['held_out']['accuracy']):.2f} %"
            for name, epochs in (("resnet56-132-epochs", "132"), ("plain56-300-epochs", "300"))
        ),
        why="with shortcuts trained for 132 epochs and not 300; 5,000 held-out photographs, stored as JPEG before",
    ),
    Claim(
        lesson="08",
        id="normalisation",
        statement="Without filter normalisation, rescaling the weights changes the picture and not the network",
        stated="in words",
        source="Li et al. 2018, section 3",
        verdict=SHOWN,
        figure="loss at one end {:,.0f} or {:.2f}; normalised, {:.1f} % apart",
        judge=lambda one, other, apart: SHOWN if one > 20 * other and apart < 5 else NOT_SHOWN,
    ),
    Claim(
        lesson="08",
        id="path",
        statement="The path of a training lies in an extremely low-dimensional space: variance held by two directions",
        stated="40 to 90 %",
        source="Li et al. 2018, section 7",
        verdict=VARIANT,
        figure="{:.0f} %; of a random walk {:.0f} %",
        judge=lambda held, by_chance: VARIANT if held > 40 and by_chance > 0.6 * held else SHOWN,
        why="a walk of as many random steps does nearly the same, so that it says little about the surface",
    ),
    Claim(
        lesson="08",
        id="wall",
        statement="Where a wall stands between two networks, they have learnt different things: accuracy half-way to a"
        " network whose logits are the same",
        stated="a common conclusion",
        source="this lesson",
        verdict=OPPOSITE,
        figure="{:.0f} % at the lowest; logits {:.4f} apart",
        judge=lambda lowest, apart: OPPOSITE if lowest < 50 and apart < 0.05 else NOT_SHOWN,
        why="the order of the maps inside a block is a matter of naming, and enough for a wall",
    ),
    Claim(
        lesson="08",
        id="rebasin",
        statement="Between two wide residual networks the wall all but vanishes, if the filters of one are renamed",
        stated="in words",
        source="Ainsworth et al. 2022",
        verdict=REPORTED,
        why="it would take a search for the best renaming, and networks many times as wide",
    ),
)
