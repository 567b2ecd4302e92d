"""What is trained: bundles, how they are made, updated, compared and described."""
