"""Lesson 13, EfficientNet."""
