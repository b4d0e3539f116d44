"""Cards at events: planned, taken along in a trainer's box, handed out, brought back."""
