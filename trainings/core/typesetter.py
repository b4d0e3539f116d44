"""Sets documents: a program of its own, started by `core.documents` for a PDF or a batch of them.

Typst keeps what it has computed in memory: after thirty lists of 300 people a process had grown
from 55 to 470 MB and stayed there. A process that ends gives everything back, can be stopped when
it takes too long, and takes nobody else with it when it breaks. It costs about 30 ms more.

Reads the jobs as JSON from its standard input; writes a line with the lengths of the PDFs to its
standard output, and then the PDFs.
"""

from __future__ import annotations

import json
import sys

import typst


def main() -> None:
    """Set the documents."""
    work = json.loads(sys.stdin.buffer.read())
    # Neither the system's fonts nor those inside Typst: a paper looks alike on every machine.
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[work["fonts"]]
    )
    papers = [
        typst.compile(
            job["template"],
            root=work["root"],
            font_paths=fonts,
            sys_inputs={"data": job["data"]},
            pdf_standards=["ua-1"],
            timestamp=job["at"],
        )
        for job in work["jobs"]
    ]
    lengths = json.dumps([len(paper) for paper in papers]).encode()
    sys.stdout.buffer.write(lengths + b"\n" + b"".join(papers))


if __name__ == "__main__":
    main()
