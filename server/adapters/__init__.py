"""The outside world; called only by the worker and by commands."""
