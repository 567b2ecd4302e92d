"""The store: the journal of everything that happened."""
