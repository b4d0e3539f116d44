"""Sets one document: a program of its own, started by `core.documents` for each PDF.

Typst keeps what it has computed in memory: after thirty lists of 300 people a process had grown
from 55 to 470 MB and stayed there. A process that ends gives everything back, can be stopped when
it takes too long, and takes nobody else with it when it breaks. It costs about 30 ms more.

Reads a job as JSON from its standard input, writes the PDF to its standard output.
"""

from __future__ import annotations

import json
import sys

import typst


def main() -> None:
    """Set the document."""
    job = json.loads(sys.stdin.buffer.read())
    # Neither the system's fonts nor those inside Typst: a paper looks alike on every machine.
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[job["fonts"]]
    )
    pdf = typst.compile(
        job["template"],
        root=job["root"],
        font_paths=fonts,
        sys_inputs={"data": job["data"]},
        pdf_standards=["ua-1"],
        timestamp=job["at"],
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
