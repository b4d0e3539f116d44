"""Pocket cards: types and editions, stores, the journal of movements, orders, stocktakes.

Promises that every card is in exactly one place, that balances are the sums of the journal and
never below zero, that what is held for an order is given to nobody else, and that nothing booked is
ever changed: a mistake is reversed by a movement that names it.

`ledger.py` is the only way to book. The folders follow the work: `cards` (types, editions, the
public page behind the code on a card), `stock` (stores, balances, journal), `orders`, `handouts`
(events and trainers' boxes), `stocktakes`, `reports`.
"""
