"""Lesson 16, transfer learning: what is stated about it, beside what was computed or measured."""

from cnnlab.lessons.claims import NOT_SHOWN, OPPOSITE, REPORTED, SHOWN, Claim, Verdict, compared, register
from cnnlab.lessons.transfer.study import CLEAR


def _clearly(*gains: float) -> Verdict:
    """Of means and their standard errors, in turn: whether every mean is more than CLEAR of its errors."""
    pairs = list(zip(gains[::2], gains[1::2], strict=True))
    if all(gain > CLEAR * error for gain, error in pairs):
        return SHOWN
    return OPPOSITE if all(gain < -CLEAR * error for gain, error in pairs) else NOT_SHOWN


register(
    Claim(
        lesson="16",
        id="small_data",
        statement="With few images, begin with a network that learnt on many",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        judge=lambda _, pretrained, scratch: compared(pretrained - scratch, least=3),
    ),
    Claim(
        lesson="16",
        id="probe_faster",
        statement="Linear probing is faster than fine-tuning",
        stated="yes",
        source="lecture",
        verdict=SHOWN,
        judge=lambda digits, cells: compared(min(digits, cells) - 1, least=1),
    ),
    Claim(
        lesson="16",
        id="tuning_better",
        statement="Fine-tuning is better in general",
        stated="yes",
        source="lecture",
        verdict=NOT_SHOWN,
        judge=lambda digits, of, faces, of_faces, cells, of_cells: (
            SHOWN if min(digits / of, faces / of_faces, cells / of_cells) > 0.8 else NOT_SHOWN
        ),
        why="clearly better in some settings; on solar cells in none by balanced accuracy, and by plain accuracy with"
        " all 1,900 labels only. Where little has to change, it would take more draws",
    ),
    Claim(
        lesson="16",
        id="partial",
        statement="A part of the network may stay frozen",
        stated="yes",
        source="lecture; Yosinski et al. 2014",
        verdict=SHOWN,
        judge=lambda *figures: SHOWN if figures[4] >= figures[3] - 3 and figures[-1] >= figures[-2] - 3 else NOT_SHOWN,
        why="on digits one frozen stage costs two points, and three cost sixteen; on cells five of seven cost nothing",
    ),
    Claim(
        lesson="16",
        id="earlier_features",
        statement="Few labels, and images unlike the first: a probe of earlier features",
        stated="might be better",
        source="CS231n, notes on transfer learning",
        verdict=NOT_SHOWN,
        figure="solar cells, less the end: {:+.1f} ± {:.1f} points with 20 labels, {:+.1f} ± {:.1f} with 100",
        judge=_clearly,
        why="ahead on average, and clearly with 20 labels only; with 100 it would take more draws",
    ),
    Claim(
        lesson="16",
        id="no_labels",
        statement="The first training needs no labels",
        stated="yes",
        source="lecture; Gidaris et al. 2018",
        verdict=SHOWN,
        judge=lambda _, turned, scratch, named: compared(turned - scratch, least=2),
        why="where the backbone may move; its probe is a poor one",
    ),
    Claim(
        lesson="16",
        id="turns_voc",
        statement="Detection on PASCAL VOC after learning turns without labels, mean average precision (%)",
        stated="54.4, 2.4 below labels",
        source="Gidaris et al. 2018, abstract",
        verdict=REPORTED,
        why="an AlexNet that learnt from all of ImageNet, and another task",
    ),
    Claim(
        lesson="16",
        id="better_transfers_better",
        statement="Correlation of accuracy on ImageNet and after transfer: probe, fine-tuned",
        stated="0.99, 0.96",
        source="Kornblith et al. 2019, abstract",
        verdict=REPORTED,
        why="16 networks trained on ImageNet, and 12 data sets",
    ),
    Claim(
        lesson="16",
        id="distortion",
        statement="Fine-tuning against the probe: on images like those of training, and on others (points)",
        stated="+2, -7",
        source="Kumar et al. 2022, abstract",
        verdict=REPORTED,
        why="ten large data sets, tested on shifted ones; this lesson tests on images like those of training",
    ),
)
