"""FA025: a rule that falls silent because of a correlation which stands in another file.

Sigma has it that a rule which a correlation refers to raises nothing by itself, unless `generate` asks for
it. In one file that is plain to see. But a rule that somebody else relies on, in a file of its own, would
stop to raise alerts because a file was added to the folder; whoever wants that says so.
"""

from collections.abc import Mapping, Sequence

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import Correlation, Document
from fileaudit_engine.rules.wording import listed


def warn_of_silence(
    correlations: Sequence[Correlation], documents: Mapping[str, Document], found: Collector
) -> None:
    """Warn once of each correlation that silences others unasked.

    Args:
        correlations: With their sources.
        documents: All rules and correlations, by key.
        found: Where findings go.
    """
    heard = {source for one in correlations if one.generate for source in one.sources}
    for one in correlations:
        silenced = [
            (reference, key)
            for reference, key in zip(one.rules, one.sources, strict=True)
            if key not in heard and documents[key].location.file != one.location.file
        ]
        if silenced and one.generate is None:
            keys = [key for _, key in silenced]
            raises = "raise no alerts" if len(keys) > 1 else "raises no alert"
            found.warning(
                "FA025",
                f"because of this correlation {listed(keys, limit=5)} {raises} without it any more",
                silenced[0][0].location,
                label="it stands in another file",
                help="write 'generate: true' if alerts are wanted as before, 'generate: false' if not",
            )
