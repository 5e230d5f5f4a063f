"""Processes: those of this machine, and those that are started here."""
