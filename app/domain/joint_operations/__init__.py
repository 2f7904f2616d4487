"""Joint operations: planned together, approved for real, run and looked back on."""
