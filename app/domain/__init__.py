"""The rooms: one folder per noun, one file per topic. Rooms do not import each other."""
