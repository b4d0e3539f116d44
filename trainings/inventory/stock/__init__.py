"""Stores, what lies in them, and the journal of movements with their reversals."""
