"""The application knows all tables, whichever pages were opened."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from pathlib import Path
from trainings import create_app
from trainings.core.database import Base
from trainings.core.settings import Settings

create_app(Settings("sqlite://", "x" * 40, "http://a.example", "file:/nowhere", "a@b.example",
                    False, Path("/nowhere")))
for table in Base.metadata.tables.values():
    for key in table.foreign_keys:
        key.column
"""


def test_every_foreign_key_leads_to_a_table_that_is_known() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
