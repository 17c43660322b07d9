"""Lesson 12, NASNet."""
