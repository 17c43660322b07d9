"""Lesson 04, VGG."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 10}
