"""Persons: victims, suspects, witnesses and the dead whom records are about, kept apart from the records themselves."""
