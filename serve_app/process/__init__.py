"""How a service process is configured, started, supervised and stopped."""
