"""Lesson 14, without convolutions."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 8000, "EPOCHS": 2}
