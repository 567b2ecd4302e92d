"""Chaos: real games played to a service whose processes are killed, and the proof of what held."""
