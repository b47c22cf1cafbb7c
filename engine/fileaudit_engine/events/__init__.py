"""What a file event is, and its shapes: in memory, on the wire, as columns, as documents."""
