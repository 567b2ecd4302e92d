"""The game shards: actors that hold the sessions, in front of the store."""
