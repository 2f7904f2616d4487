"""Incident reports: what happened to people, how far the work on it has come, and who was called to help."""
