"""Groups of agencies: councils, joint teams, working groups; who chairs them, who is in them, and what that opens."""
