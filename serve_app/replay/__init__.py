"""Plays recorded games to the service as a live scraper would have posted them."""
