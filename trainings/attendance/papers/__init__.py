"""Papers of an event: sign-in sheet, list for the door, badges, directions."""
