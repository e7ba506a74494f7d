"""Each file in `refused/` is refused with the sentences of the `.txt` beside it, and with no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.errors import ConfigurationError

REFUSED = Path(__file__).parent / "refused"
ENVIRON = {"WORKERS": "many", "HOST": "cal example", "PASSWORD": "sesame", "ZONE": "Mars/Olympus"}


@pytest.mark.parametrize("name", sorted(path.stem for path in REFUSED.glob("*.yaml")))
def test_a_wrong_file_is_refused_with_these_sentences(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REFUSED)
    with pytest.raises(ConfigurationError) as caught:
        load(Path(f"{name}.yaml"), environ=ENVIRON)
    told = "\n".join([caught.value.message, *caught.value.problems]) + "\n"
    assert told == Path(f"{name}.txt").read_text()
    assert "sesame" not in told


def test_every_expected_text_belongs_to_a_file() -> None:
    assert {path.stem for path in REFUSED.glob("*.txt")} == {path.stem for path in REFUSED.glob("*.yaml")}
