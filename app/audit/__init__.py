"""The trail: entries are written by the database in the transaction they tell of; here are the doors to them."""
