"""Where alerts and audit events go once they are on disk."""
