"""Meetings between agencies: drafted, called, held or cancelled; what they are about, decided and left to be done."""
