"""What gets out of this machine, which addresses it has, and which ways lead out."""
