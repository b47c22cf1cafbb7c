"""File-access detection with Sigma rules that run inside the Linux kernel."""

__version__ = "0.1.0"
