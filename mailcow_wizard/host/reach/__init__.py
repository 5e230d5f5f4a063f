"""What two machines need to prove that one is reached from the other."""
