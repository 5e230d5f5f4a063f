"""Prepares a server for mailcow-dockerized: looks, judges, explains."""

__version__ = "0.1.0"
