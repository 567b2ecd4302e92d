"""The game: clock and rules, past games, and the state that a forecast is made from."""
