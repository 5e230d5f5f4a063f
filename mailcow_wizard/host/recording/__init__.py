"""A machine on file: what may be written of one, and how it answers."""
