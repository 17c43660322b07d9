"""Lesson 15, ConvNeXt."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 5}
