"""Servers that Interdesk is compared with."""
