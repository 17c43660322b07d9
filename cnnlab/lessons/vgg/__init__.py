"""Lesson 04, VGG."""
