"""What sipsync leaves on this machine (plan files, locks, tokens), and what git has there."""
