"""Lesson 09, ResNet's legacy."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 3000, "EPOCHS": 3}
