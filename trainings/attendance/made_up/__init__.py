"""Sessions made up at another event."""
