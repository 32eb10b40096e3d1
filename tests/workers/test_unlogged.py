"""What is done by order is in no log, whatever a library logs and wherever handlers are."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from xnai_validate.workers.unlogged import log_nothing

SECRET = "correct-horse-battery-staple"


def test_no_handler_takes_what_such_a_thread_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Neither at once, nor in tasks, nor in threads that they wait for; other threads log as before."""
    caplog.set_level(logging.DEBUG)
    library = logging.getLogger("a.library")

    async def work() -> None:
        library.error("url %s", SECRET)
        task = asyncio.create_task(asyncio.to_thread(library.critical, SECRET))
        asyncio.get_running_loop().call_soon(library.warning, SECRET)
        await task

    def work_by_order() -> None:
        log_nothing()
        library.debug(SECRET)
        asyncio.run(work())

    for target in (work_by_order, lambda: library.debug("another thread")):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    library.debug("this thread")
    assert [record.getMessage() for record in caplog.records if record.name == "a.library"] == [
        "another thread",
        "this thread",
    ]
    assert SECRET not in caplog.text
