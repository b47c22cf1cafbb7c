"""The embedded store: every alert and audit event, on disk before it is seen."""
