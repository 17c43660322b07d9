"""Lesson 11, MobileNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 5}
