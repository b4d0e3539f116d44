"""Stocktakes: counting, the book value at that moment, posting the difference, the protocol."""
