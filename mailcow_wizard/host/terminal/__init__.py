"""The terminal and the standard streams."""
