"""The directory of agencies, and how the hub admits and suspends them."""
