"""Lesson 17, which network would you choose: what the lesson and its records measure."""

# The lecture's table: parameters in millions, top-1 and top-5 accuracy on ImageNet in percent; then what is documented.
ROWS = (
    ("alexnet", "AlexNet", "61.1M", "56.5 / 79.0", "torchvision documents 56.522 / 79.066"),
    ("vgg19", "VGG-19", "143.7M", "72.4 / 90.9", "torchvision documents 72.376 / 90.876"),
    ("googlenet", "GoogLeNet", "6.6M", "69.8 / 89.5", "torchvision documents 69.778 / 89.530"),
    ("resnet152", "ResNet-152", "60.2M", "78.3 / 94.0", "torchvision documents 78.312 / 94.046"),
    ("densenet201", "DenseNet-201", "20.0M", "76.9 / 93.4", "torchvision documents 76.896 / 93.370"),
    ("mobilenet_v1", "MobileNet", "4.2M", "70.9 / 89.9", "its authors' checkpoint; the paper says 70.6"),
    ("nasnet_a_mobile", "NASNet-A mobile", "5.3M", "74.0 / 91.6", "its authors' checkpoint"),
    ("efficientnet_b0", "EfficientNet-B0", "5.3M", "77.7 / 93.5", "torchvision documents 77.692 / 93.532"),
    ("convnext_base", "ConvNeXt-B", "88.6M", "84.0 / 96.9", "torchvision documents 84.062 / 96.870"),
)
