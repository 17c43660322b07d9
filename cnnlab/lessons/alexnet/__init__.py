"""Lesson 02, AlexNet."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 80}
