"""Certificates: when one is due, issuing and replacing, verifying, the paper and its mail."""
