"""What every kind of record has in common: how it is rendered, kept, changed, opened, explained and taken back."""
