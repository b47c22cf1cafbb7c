"""What is said to somebody who names a field that is not in the table."""

import pytest
from tests.unit.rules.examples import marked, one, rule_text

from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.unprovided import UNPROVIDED
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text


@pytest.mark.parametrize(
    ("field", "help_text"),
    [
        ("TargetFilenme", "did you mean 'TargetFilename'?"),
        ("targetfilename", "did you mean 'TargetFilename'?"),
        ("COMMANDLINE", "did you mean 'CommandLine'?"),
        ("parentimage", "did you mean 'ParentImage'?"),
        ("Exe", "did you mean 'exe'?"),
        ("file.pth", "did you mean 'file.path'?"),
        ("Hashes", "files are not read, so there is no hash"),
        ("hashes", "files are not read, so there is no hash"),
        ("user", "did you mean 'User'?"),
        ("DestinationIp", "this engine watches files and processes, not connections"),
        ("key", "that is the label of a rule of auditd's; write what that rule watches"),
    ],
)
def test_an_unknown_field_comes_with_the_nearest_name_or_the_reason(field: str, help_text: str) -> None:
    text = rule_text(f"{{{field}|contains: x}}")
    found = one(text)
    assert (found.code, marked(found, text), found.help) == ("FA040", field, help_text)


def test_a_name_like_no_other_comes_with_the_way_to_keep_it() -> None:
    found = one(rule_text("{Zzyzx: 1}"))
    assert "'Operation'" in found.help
    assert found.help.endswith("--allow-unknown-fields takes it as it is")


@pytest.mark.parametrize("field", ["Hashes", "Zzyzx"])
def test_the_user_may_take_any_name_as_it_is(field: str) -> None:
    loaded = parse_text(rule_text(f"{{{field}: x}}"), options=RuleOptions(allow_unknown_fields=True))
    assert loaded.diagnostics == ()


def test_no_name_is_both_provided_and_not() -> None:
    assert not UNPROVIDED.keys() & BY_NAME.keys()
