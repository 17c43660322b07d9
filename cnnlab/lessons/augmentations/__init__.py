"""Lesson 03, augmentations."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 500, "EPOCHS": 40}
