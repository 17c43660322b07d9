"""Lesson 16, transfer learning."""

DEFAULTS = {"DATASET": "handwritten", "LABELS": 5, "STEPS": 100}
