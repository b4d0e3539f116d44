"""Figures: how much was held, who came, from where, and what was left unused.

The definitions stand in `rules.py`, in words (`DEFINITIONS`) and in code; page, table and command
line read the same query.
"""
