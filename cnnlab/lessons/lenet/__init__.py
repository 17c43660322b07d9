"""Lesson 01, LeNet."""

DEFAULTS = {"DATASET": "handwritten", "IMAGES": 898, "EPOCHS": 15}
