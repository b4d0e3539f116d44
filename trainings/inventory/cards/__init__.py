"""Card types, their editions, and the public page behind the code on a card."""
