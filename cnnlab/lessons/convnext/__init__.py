"""Lesson 15, ConvNeXt."""
