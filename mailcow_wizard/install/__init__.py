"""The first install of mailcow, in stages, by a process that goes on when the face that began it is gone."""
