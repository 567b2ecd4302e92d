"""One monitored game: what was seen of it, and what falls due."""
