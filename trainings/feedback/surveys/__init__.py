"""The life of a survey: invitations, slips, reminders, settling, closing."""
