"""The questionnaire as people fill it in; it knows nobody."""
