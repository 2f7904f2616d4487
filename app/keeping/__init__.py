"""Backups: one encrypted file that holds a hub, and its way back, tried out before it is needed."""
