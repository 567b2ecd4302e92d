"""The service: the only place that knows Ray Serve, HTTP and the store."""
