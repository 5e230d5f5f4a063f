"""Answers in a file: all that the wizard asks, read with line numbers, written with origins."""
