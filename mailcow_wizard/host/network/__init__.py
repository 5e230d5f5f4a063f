"""Conversations with other machines, each with a limit."""
