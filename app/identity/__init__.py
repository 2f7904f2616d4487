"""Who calls: roles and permissions, client credentials, signing keys and the tokens made with them.

Nothing in the modules of this package that deal with keys, secrets and tokens touches the database: they are given
what was loaded and answer what may be believed. `jose` is imported in `tokens` and nowhere else.
"""
