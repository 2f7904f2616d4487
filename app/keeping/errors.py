"""What can go wrong with a backup, in a room of its own: the command line asks for it without loading the rest."""


class BackupError(Exception):
    """A backup cannot be made, opened or restored; the message says why and how to go on, and quotes no secret."""
