"""The shelves: table classes, one file per noun. Their rows never leave the hub as they are."""
