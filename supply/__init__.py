"""What the wizard is made of besides its own code: versions, hashes, licences. For whoever works on it."""
