"""Lesson 14, without convolutions."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 2}
