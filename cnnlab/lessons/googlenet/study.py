"""Lesson 05, GoogLeNet: what the lesson and its records measure."""

# The columns "params" (in K) and "ops" (in M) of Table 1, as printed. The second row is two layers: 1x1, then 3x3.
TABLE_1 = {
    "convolution 7x7": (2.7, 34),
    "convolution 3x3": (112, 360),
    "inception 3a": (159, 128),
    "inception 3b": (380, 304),
    "inception 4a": (364, 73),
    "inception 4b": (437, 88),
    "inception 4c": (463, 100),
    "inception 4d": (580, 119),
    "inception 4e": (840, 170),
    "inception 5a": (1072, 54),
    "inception 5b": (1388, 71),
    "linear": (1000, 1),
}
