"""Lesson 03, augmentations."""
