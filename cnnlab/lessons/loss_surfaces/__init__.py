"""Lesson 08, loss surfaces."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 6}
