"""Lesson 07, gradient flow."""

DEFAULTS = {"DATASET": "street_digits", "IMAGES": 32, "SEEDS": 3}
