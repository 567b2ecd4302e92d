"""The forecasting science. Knows nothing of Ray, HTTP or a database."""
