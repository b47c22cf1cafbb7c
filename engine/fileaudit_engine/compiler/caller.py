"""Who does it, as far as the kernel can test that: the real user, the process, the thread's name.

A user is asked for by number or by name. The kernel knows numbers only; which of them have a name is a matter
of the host, and is found out where the plan is written into its maps. So both stand side by side here:

    UserId: 0          ->  OneOf({0})
    User: Root         ->  OneOf({"root"})         # folded: every account whose folded name this is
    ProcessId: 4711    ->  OneOf({4711})
    ProcessName: SSHD  ->  OneOf({b"sshd"})        # bytes, lower-cased as the kernel lower-cases them

What a caller is not, says nothing: nearly everybody is somebody else.
"""

import re
from typing import Final

from fileaudit_engine.compiler.allowed import UNCONSTRAINED, Constraint, OneOf, both, one_of
from fileaudit_engine.compiler.ir import Check, EqualsNumber, Matches
from fileaudit_engine.text import fold

COMM_BYTES: Final = 15
"""The longest name that a thread has in the kernel."""

_LAST_NUMBER: Final = (1 << 32) - 1
"""Users and processes are numbered by 32 bits."""

_PLAIN: Final = re.compile("0|[1-9][0-9]{0,9}")
"""How a number is spelled where it is compared as a text."""


def number_of(check: Check) -> Constraint[int]:
    """The number that a check asks for."""
    match check:
        case EqualsNumber(number=number) if 0 <= number <= _LAST_NUMBER and number == int(number):
            return OneOf(frozenset({int(number)}))
        case Matches(pattern=(str(text),)) if _PLAIN.fullmatch(text) and int(text) <= _LAST_NUMBER:
            return OneOf(frozenset({int(text)}))
        case _:
            return UNCONSTRAINED


def user_of(check: Check) -> Constraint[int | str]:
    """The user whose number a check asks for."""
    number = number_of(check)
    return OneOf(frozenset[int | str](number.values)) if isinstance(number, OneOf) else number


def named_user_of(check: Check) -> Constraint[int | str]:
    """The user whose name a check asks for, folded."""
    match check:
        case Matches(pattern=(str(name),)):
            return OneOf(frozenset({fold(name)}))
        case _:
            return UNCONSTRAINED


def comm_of(check: Check) -> Constraint[bytes]:
    """The name of a thread that a check asks for. The kernel's has no NUL and only so many bytes."""
    match check:
        case Matches(pattern=(str(name),)) if name.isascii() and "\0" not in name and len(name) <= COMM_BYTES:
            return OneOf(frozenset({name.lower().encode()}))
        case _:
            return UNCONSTRAINED


def both_users(a: Constraint[int | str], b: Constraint[int | str]) -> Constraint[int | str]:
    """What two requirements on the user amount to; a number and a name may be the same user."""
    if not (isinstance(a, OneOf) and isinstance(b, OneOf)):
        return both(a, b)
    same = a.values & b.values
    return one_of((*same, *_numbers_beside_names(a, b), *_numbers_beside_names(b, a)))


def _numbers_beside_names(a: OneOf[int | str], b: OneOf[int | str]) -> list[int | str]:
    """The numbers of one side, where the other side has a name that might be theirs."""
    named = any(isinstance(value, str) for value in b.values)
    return [value for value in a.values if isinstance(value, int)] if named else []
