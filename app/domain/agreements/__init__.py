"""Agreements between agencies: drafted, negotiated, signed by all parties, in force for a time, suspended, ended."""
