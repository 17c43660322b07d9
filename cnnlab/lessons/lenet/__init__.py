"""Lesson 01, LeNet."""
