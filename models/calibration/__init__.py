"""Calibration: distributions that keep their promise, and what finished games teach."""
