"""Lesson 16, transfer learning."""
