"""Interdesk: the coordination API between police agencies that work the same cross-border crime."""
