"""Credentials: what partners' systems sign in with, kept by each agency's own administrators."""
