"""Lesson 17, which network would you choose: what the lesson and its records measure."""

from cnnlab.lessons import facts

# The lecture's table: parameters in millions, top-1 and top-5 accuracy on ImageNet in percent, as it prints them.
LECTURE = {
    "alexnet": ("61.1M", "56.5 / 79.0"),
    "vgg19": ("143.7M", "72.4 / 90.9"),
    "googlenet": ("6.6M", "69.8 / 89.5"),
    "resnet152": ("60.2M", "78.3 / 94.0"),
    "densenet201": ("20.0M", "76.9 / 93.4"),
    "mobilenet_v1": ("4.2M", "70.9 / 89.9"),
    "nasnet_a_mobile": ("5.3M", "74.0 / 91.6"),
    "efficientnet_b0": ("5.3M", "77.7 / 93.5"),
    "convnext_base": ("88.6M", "84.0 / 96.9"),
}
# Where its accuracies come from, if not from torchvision.
ELSEWHERE = {
    "mobilenet_v1": "its authors' checkpoint; the paper says 70.6",
    "nasnet_a_mobile": "its authors' checkpoint",
}


def documented(name: str) -> str:
    network = facts.network(name)
    return ELSEWHERE.get(name, f"torchvision documents {network.top1:.3f} / {network.top5:.3f}")


# Name and label, what the lecture states, and what is documented.
ROWS = [(name, facts.network(name).label, *stated, documented(name)) for name, stated in LECTURE.items()]
