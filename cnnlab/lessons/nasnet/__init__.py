"""Lesson 12, NASNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 2000, "TRIALS": 8}
