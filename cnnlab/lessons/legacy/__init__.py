"""Lesson 09, ResNet's legacy."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 4000, "EPOCHS": 8}
