"""Statistics: numbers counted over records."""
