"""Closing and reopening the attendance of an event."""
