"""Repatriation requests: two sides bring victims, suspects and the dead home, step by step."""
