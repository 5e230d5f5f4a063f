"""Faults at the door: each answer in turn replaced by an error, cut short, or garbage."""
