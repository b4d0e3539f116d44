"""Syncing: a trainer's phone sends the queue that it has recorded without a network."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from bench.data import forget_attendance
from bench.figures import Figure, cpu_milliseconds, median_of_runs, seconds
from bench.server import Server
from bench.stage import Stage

QUEUE = 500
LIVE = 50


def measure_syncs(stage: Stage, server: Server) -> list[Figure]:
    """Measure a queue of 500 recordings, the same again, and the request of a single scan."""
    address = f"/einlass/{stage.data.today_number}"
    browser = stage.browser(server, stage.data.everything)
    roster = json.loads(browser.get(f"{address}/roster.json").text)
    session_id = roster["sessions"][0]["id"]
    tickets = list(islice(cycle(stage.data.tickets), QUEUE))
    queue: list[dict[str, object]] = []

    def prepare() -> None:
        stage.change(forget_attendance)
        begin = datetime.now(UTC) - timedelta(hours=1)
        queue[:] = [
            {
                "key": str(uuid.uuid4()),
                "kind": "seen",
                "hash": hashlib.sha256(f"{roster['salt']}:{ticket}".encode()).hexdigest(),
                "session": session_id,
                "at": (begin + timedelta(seconds=number)).isoformat(),
            }
            for number, ticket in enumerate(tickets)
        ]

    def send(recordings: list[dict[str, object]]) -> None:
        body = {"sent_at": datetime.now(UTC).isoformat(), "recordings": recordings}
        answer = json.loads(browser.post_json(f"{address}/abgleich", body).text)
        wrong = {each["outcome"] for each in answer["results"]} - {"recorded", "already_recorded"}
        if wrong:
            raise RuntimeError(f"{address}/abgleich: {wrong}")

    def scan_live() -> int:
        for recording, ticket in zip(queue[:LIVE], tickets, strict=False):
            send([{**recording, "ticket": ticket}])
        return LIVE

    first = median_of_runs(lambda: seconds(lambda: send(queue)), prepare)
    again = median_of_runs(lambda: seconds(lambda: send(queue)))
    live = median_of_runs(lambda: cpu_milliseconds(server.cpu, scan_live), prepare)
    return [
        Figure(f"syncing {QUEUE} recordings", first, "s", 0.5),
        Figure("the same queue again", again, "s"),
        Figure(
            "a scan that is sent at once", live, "ms CPU", 6, note="POST /einlass/NUMBER/abgleich"
        ),
    ]
