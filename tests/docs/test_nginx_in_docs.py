from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.docs.documents import Block, document

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = document("docs/admin.md").blocks("nginx")


@pytest.mark.debian("nginx", "nginx-light")
@pytest.mark.parametrize("block", BLOCKS, ids=[f"line {block.line}" for block in BLOCKS])
def test_nginx_takes_its_configuration_from_the_guide(block: Block, tmp_path: Path) -> None:
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"pid {tmp_path}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; server {{ listen unix:{tmp_path}/socket;\n{block.text}}} }}\n"
    )
    checked = subprocess.run(
        ["nginx", "-t", "-p", tmp_path, "-c", configuration], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
