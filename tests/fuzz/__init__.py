"""Every parser of data from outside, fed with what nobody would send."""
