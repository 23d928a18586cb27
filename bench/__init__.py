"""Benchmarks: ratios in one interleaved run, never a timed test (`make bench`)."""
