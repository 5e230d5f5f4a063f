"""Programs of our own that a plan runs like any other command, and what they share."""
