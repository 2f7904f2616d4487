"""Files that hang on records: looked at as they come, closed with a key of their own, kept beside the database."""
