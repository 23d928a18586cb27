"""The outside world, called only by the worker and the commands."""
