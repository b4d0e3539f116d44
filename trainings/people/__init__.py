"""People, with or without an account.

Owns persons, accounts, login by one-time link, code or password, roles, and the contacts of
organisations. Promises that no answer tells whether an account exists.
"""
