"""Lesson 09, ResNet's legacy."""
