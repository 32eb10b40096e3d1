"""The ids of the events of a stream, by which a client that was cut off asks for what it has missed."""

from __future__ import annotations

IDS_CAP = 100_000
ID_CAP = 200
DIGITS_CAP = 18


class EventIds:
    """Counts ids and compares each with those before it."""

    def __init__(self) -> None:
        self.count = 0
        """Ids that came, the empty one aside: it resets the last event id."""
        self.in_order: bool | None = None
        """Whether no id came twice and ids that are numbers ascend; None until two came."""
        self._last = ""
        self._seen: set[str] = set()

    def take(self, event_id: str) -> None:
        """Compare an id with those before it; only the first 200 characters count, and the first 100 000 ids."""
        event_id = event_id[:ID_CAP]
        if not event_id:
            return
        self.count += 1
        if self.count > 1:
            in_order = event_id not in self._seen and _may_follow(self._last, event_id)
            self.in_order = in_order and self.in_order is not False
        self._last = event_id
        if len(self._seen) < IDS_CAP:
            self._seen.add(event_id)


def _may_follow(before: str, event_id: str) -> bool:
    """Whether an id may come after another: numbers must ascend, other texts have no order."""
    numbers = all(text.isascii() and text.isdecimal() and len(text) <= DIGITS_CAP for text in (before, event_id))
    return not numbers or int(before) < int(event_id)
