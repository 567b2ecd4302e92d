"""The model in service: which bundle it is, where it runs, what it learns, how it does."""
