"""Orders: asked for, approved, picked, sent, received; limits and delivery notes."""
