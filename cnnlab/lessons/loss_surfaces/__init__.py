"""Lesson 08, loss surfaces."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 2000, "EPOCHS": 8}
