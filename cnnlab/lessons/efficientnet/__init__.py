"""Lesson 13, EfficientNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 1500, "EPOCHS": 20}
