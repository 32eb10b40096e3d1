"""Checks of the containers of a compose project: each runs, or has ended without an error where it may end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xnai_validate.importing.check_entry import check_entry
from xnai_validate.importing.project import Service
from xnai_validate.model.json import JsonObject

_JOB_NAME = re.compile(
    r"(?:^|[-_.])(?:db|pre|post)?"
    r"(?:init(?:db|iali[sz]\w+)?|setup|migrat\w+|seed(?:er|s)?|bootstrap\w*|provision\w*|create\w*|creator|perm(?:ission)?s|chown"
    r"|pull(?:er)?|installer|fixtures|keygen)(?:$|[-_.\d])"
)
"""Names of services that do one thing and end, such as `db-init`, `migrator` and `createbuckets`."""
_JOB_IMAGE = re.compile(r"(?:^|/)(?:mc|minio-client|kaniko|migrate)$")
"""Images of commands, not of servers."""


def container_check(service: Service, ids: Mapping[str, str], *, is_one_shot: bool) -> JsonObject:
    """Return the check of a service's container: it runs, or, if `is_one_shot`, it has ended without an error."""
    name = ids[service.name]
    needs = [ids[each] for each in service.needs if each in ids]
    if is_one_shot:
        title, expect = f"{service.name} ran to its end without an error", {"running": False, "exit_code": 0}
        return check_entry(name, title, "container.state", service.name, {"usage": False}, dict(expect), needs)
    if may_end(service):
        title, expect = f"{service.name} runs, or has ended without an error", {"exit_code": 0, "oom_killed": False}
        return check_entry(name, title, "container.state", service.name, {"usage": False}, dict(expect), needs)
    expect_running: JsonObject = {"running": True, "oom_killed": False}
    if service.health is not None:
        expect_running["health"] = "healthy"
    if service.replicas > 1:
        expect_running["replicas_running"] = {"min": service.replicas}
    title = f"{service.name} runs{', and its health check passes' if service.health else ''}"
    return check_entry(name, title, "container.state", service.name, {"usage": False}, expect_running, needs)


def may_end(service: Service) -> bool:
    """Whether a container that has ended without an error is as it should be.

    `restart: no` declares it. Where it sets no policy, or `on-failure`, the engine does not start the container
    again either, but servers are declared like that too: then the name or the image has to show that it is a job.
    """
    if service.health is not None or service.ports:
        return False
    if service.restart == "no":
        return True
    is_left_alone = not service.restart or service.restart.startswith("on-failure")
    is_job = _JOB_NAME.search(service.name.lower()) or _JOB_IMAGE.search(service.image_name)
    return is_left_alone and is_job is not None
