"""Benchmarks: what the office's daily work costs, beside what it is to cost.

`make bench` starts gunicorn and PostgreSQL of its own on this machine, measures, prints, and leaves
nothing behind. CPU is read from the processes' own accounting, because on a shared machine time
says little.
"""
