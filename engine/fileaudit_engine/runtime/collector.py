"""How often Python looks for garbage, once a capture runs.

Events, findings and documents are trees: they go when nobody has them any more, and the collector, which
looks for circles, finds none among them. With its usual thresholds it would still go through the batch at
hand some fifteen times, a twentieth of all the work.
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 50_000
"""More than a batch makes; circles that something else has made wait for so many, some megabytes."""
_GENERATIONS: Final = 20


def settle() -> None:
    """Take what is there out of the collector's sight, and let it look seldom, as long as we live."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _GENERATIONS, _GENERATIONS)
