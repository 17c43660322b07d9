"""Lesson 17, which network would you choose."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 5}
