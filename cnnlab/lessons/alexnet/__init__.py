"""Lesson 02, AlexNet."""
