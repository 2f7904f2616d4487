"""Bringing in what others publish."""
