"""Writing the questionnaires: drafts, versions, and which event asks which."""
