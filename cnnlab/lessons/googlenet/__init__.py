"""Lesson 05, GoogLeNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 5}
