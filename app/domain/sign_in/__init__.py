"""Sign-in: clients prove who they are, get tokens, ask about them and give them back."""
