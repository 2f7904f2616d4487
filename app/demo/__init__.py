"""The story that a new installation can be tried with: invented agencies, organizations and people."""
