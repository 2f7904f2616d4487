"""What would also make sense in a bakery: database, embedded PostgreSQL, clock, ids, crypto, logs."""
