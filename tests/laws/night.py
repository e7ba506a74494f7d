"""How far the long laws go: by day the same way whenever the same code is tried; by night further.

CALBRIDGE_NIGHT=N goes N times as far, another way each time. What a night finds is repeated with the seed that it
prints, or with `--hypothesis-seed`.
"""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, Phase, settings

_NIGHT = os.environ.get("CALBRIDGE_NIGHT", "")


def times(number: int) -> int:
    """So many by day, a multiple of it by night."""
    return number * int(_NIGHT or "1")


def sequences(number: int, *, steps: int) -> settings:
    """How a state machine is run.

    Args:
        number: How many sequences by day.
        steps: The most steps of each.
    """
    return settings(
        max_examples=times(number),
        stateful_step_count=steps,
        derandomize=not _NIGHT,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        database=None,
    )


def chance() -> random.Random:
    """What chooses at random; CALBRIDGE_SEED repeats a choice."""
    seed = int(os.environ.get("CALBRIDGE_SEED") or (random.SystemRandom().randrange(1_000_000) if _NIGHT else 1))
    print(f"CALBRIDGE_SEED={seed}")  # noqa: T201 -- pytest shows it with a failure
    return random.Random(seed)
