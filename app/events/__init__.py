"""What partners are told: the catalogue of events, the feed they are read from, and the order they are given."""
