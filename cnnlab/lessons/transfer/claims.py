"""Lesson 16, transfer learning: what is stated about it, beside what was computed or measured."""

from cnnlab.lessons.claims import Claim, register

register(
    Claim(
        lesson="16",
        id="small_data",
        statement="Who has few images begins with a network that learnt on many",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="probe_faster",
        statement="Linear probing is faster than fine-tuning",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="tuning_better",
        statement="Fine-tuning is better in general",
        stated="yes",
        source="lecture",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="partial",
        statement="A part of the network may stay frozen",
        stated="yes",
        source="lecture; Yosinski et al. 2014",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="no_labels",
        statement="The first training needs no labels",
        stated="yes",
        source="lecture; Gidaris et al. 2018",
        status="measured",
    ),
    Claim(
        lesson="16",
        id="turns_voc",
        statement="Detection on PASCAL VOC after learning turns without labels, mean average precision (%)",
        stated="54.4, 2.4 below labels",
        source="Gidaris et al. 2018, abstract",
        status="reported only",
        why="an AlexNet that learnt from all of ImageNet, and another task",
    ),
    Claim(
        lesson="16",
        id="better_transfers_better",
        statement="Correlation of accuracy on ImageNet and after transfer: probe, fine-tuned",
        stated="0.99, 0.96",
        source="Kornblith et al. 2019, abstract",
        status="reported only",
        why="16 networks trained on ImageNet, and 12 data sets",
    ),
    Claim(
        lesson="16",
        id="distortion",
        statement="Fine-tuning against the probe: on images like those of training, and on others (points)",
        stated="+2, -7",
        source="Kumar et al. 2022, abstract",
        status="reported only",
        why="ten large data sets, tested on shifted ones; this lesson tests on images like those of training",
    ),
)
