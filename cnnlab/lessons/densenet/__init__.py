"""Lesson 10, DenseNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 4}
