"""The report of a night: what was predicted, what happened, and how far to trust either."""
