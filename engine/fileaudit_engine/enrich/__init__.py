"""Names and histories for the numbers that the kernel gives."""
