"""Lesson 06, ResNet."""
