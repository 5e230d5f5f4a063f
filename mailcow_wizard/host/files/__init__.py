"""Files and directories of this machine: whose they are, how they change, what is kept in them."""
