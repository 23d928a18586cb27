"""The rules, pure: no Flask, no database, no clock, no network.

Time, chance, keys and ids are arguments.
"""
