"""The backtest: every forecast of past seasons beside its baselines, and what they were worth."""
