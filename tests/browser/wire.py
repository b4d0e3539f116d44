"""What a page weighs over the wire."""

from __future__ import annotations

from playwright.sync_api import Page


class Wire:
    """Counts the bytes that a page loads, the decoder of QR codes apart from the rest.

    The decoder comes once, and only where the browser reads no QR codes by itself.
    """

    def __init__(self, page: Page) -> None:
        """Begin to count, with nothing in the browser's cache."""
        self._names: dict[str, str] = {}
        self._weights: dict[str, float] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.on(
            "Network.responseReceived",
            lambda told: self._names.update({told["requestId"]: told["response"]["url"]}),
        )
        session.on(
            "Network.loadingFinished",
            lambda told: self._weights.update({told["requestId"]: told["encodedDataLength"]}),
        )

    @property
    def decoder(self) -> float:
        """Bytes of the decoder."""
        return sum(
            size for key, size in self._weights.items() if "zxing" in self._names.get(key, "")
        )

    @property
    def others(self) -> float:
        """Bytes of all the rest."""
        return sum(self._weights.values()) - self.decoder
