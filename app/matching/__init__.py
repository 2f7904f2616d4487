"""Making the same thing look the same: identifiers in the form in which two agencies' records can be compared."""
