"""cnnlab: thirty years of convolutional networks that you can run, measure and question."""

__version__ = "0.1.0"
