"""From parsed rules to plans: what the kernel tests, what user space evaluates."""
