"""Lesson 06, ResNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 4}
