"""The door: scanner, phones without a network, walk-ins, what was refused."""
