"""What is behind an error of an HTTP library: they wrap what the network, TLS or a name said in errors of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that is behind it; the libraries hide it in their arguments, too."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting.extend(each for each in inner if isinstance(each, BaseException))


def holds(chain: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    """Whether an error of one of `kinds` is among those of `chain`."""
    return any(isinstance(each, kinds) for each in chain)
