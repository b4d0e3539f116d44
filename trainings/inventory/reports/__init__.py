"""What was handed out to whom, stock on a past day, how long the stock will last."""
