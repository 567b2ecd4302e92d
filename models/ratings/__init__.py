"""Team strength: the margin to expect before a game."""
