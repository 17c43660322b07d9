"""Lesson 13, EfficientNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 3000, "EPOCHS": 5}
