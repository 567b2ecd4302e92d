"""Attacks on a service that runs: its description, its bodies and its watchers are fuzzed.

Only the functions that need it import schemathesis, which is a development dependency.
"""
