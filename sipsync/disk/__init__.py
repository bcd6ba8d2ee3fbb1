"""What sipsync leaves on this machine: plan files, locks, tokens."""
