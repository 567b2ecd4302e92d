"""What benchmarks of the service need beside the service itself."""
