"""Other people's sign-up with double opt-in, measured beside ours (`--peers`)."""
