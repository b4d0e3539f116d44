"""What is scheduled: templates, events, sessions, venues and rooms, trainers.

Owns an event until it is published, its number, its versions and its bytes as a calendar object.
Changing an event that people have registered for is the business of `registrations`.
"""
