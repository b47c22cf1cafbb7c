"""What keeps it running: pipeline, routing, signals, metrics."""
