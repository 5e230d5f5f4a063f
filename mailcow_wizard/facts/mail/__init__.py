"""The installed mail server: whether it runs, and what it says when it is spoken to."""
