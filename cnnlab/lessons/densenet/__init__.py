"""Lesson 10, DenseNet."""
