"""Lesson 10, DenseNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 2000, "EPOCHS": 12}
