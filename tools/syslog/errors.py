"""Why there is no server, in words."""


class CannotServe(Exception):
    """This machine cannot have the server, or it did not start; says what is missing."""
