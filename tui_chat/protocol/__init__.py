"""The dialects of the servers, purely: bytes to events and requests to JSON. No I/O."""
