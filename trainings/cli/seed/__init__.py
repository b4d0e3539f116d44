"""Loads the demonstration data set from `seed/` into an empty database.

The files are described in `seed/README.md`. The history has fixed days; what is upcoming counts
from the day of loading, so that the demonstration is always alive.
"""
