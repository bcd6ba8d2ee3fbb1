"""The server, written down once: pure functions that the proof, the sandbox and the client share."""
