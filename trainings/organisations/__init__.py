"""Organisations as a tree: group → authority → unit.

Owns their kinds, their status in the cooperation, e-mail domains and functional mailboxes. Promises
that a merged or retired organisation keeps its history and is no longer offered for choice.
"""
