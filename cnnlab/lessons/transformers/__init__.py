"""Lesson 14, without convolutions."""
