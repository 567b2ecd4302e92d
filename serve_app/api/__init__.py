"""The HTTP contract: routes, problems and limits."""
