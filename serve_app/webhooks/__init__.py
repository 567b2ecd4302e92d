"""Signed webhooks: what the journal tells, posted to those who registered for it."""
