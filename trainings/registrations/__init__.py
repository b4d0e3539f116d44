"""Who takes part: the place engine, the public list and event page, tickets, mails to people.

Owns registrations with their states and history, contingents, the waiting list, needs, and
changing, moving and cancelling an event that people have registered for. Promises that no pool is
ever given beyond its capacity, that nobody holds two places in it, and that nobody is overtaken who
could have been served.
"""
