"""What people say after an event, so that nobody can tell who said it.

The room owns questionnaires and their versions, surveys of events, the rights to answer and what
was answered. It promises: a right that was used and an answer share nothing that joins them once
they have left the pending tables (docs/feedback-anonymity.md); nothing is shown from which the
answers of fewer than five people can be computed; a version that was asked is never changed.
"""
