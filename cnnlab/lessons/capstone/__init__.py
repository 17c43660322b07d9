"""Lesson 17, which network would you choose."""
