"""Use cases: verbs over a session. They flush and never commit.

The moment, chance and whatever comes from outside are arguments.
"""
