"""Lesson 07, gradient flow."""
