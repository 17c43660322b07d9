"""Lesson 08, loss surfaces."""
