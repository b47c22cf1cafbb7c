"""From events to alerts: pure, without clock, I/O or logging."""
