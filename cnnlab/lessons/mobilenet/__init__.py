"""Lesson 11, MobileNet."""
