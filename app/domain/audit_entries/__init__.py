"""What an agency may know of the trail: its own credentials in full, and what others did with its records."""
