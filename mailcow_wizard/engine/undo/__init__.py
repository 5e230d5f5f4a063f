"""What taking a change back makes of each file, and what keeps it from being taken back."""
