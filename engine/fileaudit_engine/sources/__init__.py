"""Where events come from: the live kernel, or a recording."""
