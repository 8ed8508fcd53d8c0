"""Which servers there are, what they offer, and the one that is talked to."""
