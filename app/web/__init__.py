"""The porch: what every call passes before it reaches a room, and every answer on its way out."""
