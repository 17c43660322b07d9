"""Lesson 00, start here."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 4}
