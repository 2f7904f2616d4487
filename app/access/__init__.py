"""Who may see: the one rule, and the doors through which it is asked."""
