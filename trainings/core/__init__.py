"""The ground floor: what every room stands on and what knows nothing of courses.

Database session and transaction, the clock, the domain error, audit, permission names, tokens,
the outbox of mails, sweeps of deferred work, settings and idempotency keys.
"""
