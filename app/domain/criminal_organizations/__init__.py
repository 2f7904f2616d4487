"""Profiles of criminal organizations: what an agency knows of one, and what others add to it."""
