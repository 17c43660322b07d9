"""Lesson 05, GoogLeNet."""
