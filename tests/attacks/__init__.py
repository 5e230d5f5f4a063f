"""Text from outside that attacks a terminal, a reader or a format: through every source, to every face."""
