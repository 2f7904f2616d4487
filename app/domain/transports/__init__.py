"""Transports: how the people of many requests come home together, planned, frozen, boarded and handed over."""
