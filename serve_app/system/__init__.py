"""How the running service is doing: what it counts, what it tells operators, what it exports."""
