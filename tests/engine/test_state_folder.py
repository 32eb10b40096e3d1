"""The state folder: where it is, and that nothing in it is trusted that another user can write."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from xnai_validate.engine import state_folder
from xnai_validate.engine.state_folder import create_private, read_private, refuse_shared, state_dir
from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.errors import ConfigError


def test_the_environment_names_it(tmp_path: Path) -> None:
    """XNAI_VALIDATE_STATE comes first, then XDG_STATE_HOME if it is absolute, then the home directory."""
    assert state_dir({"XNAI_VALIDATE_STATE": str(tmp_path)}) == tmp_path
    assert state_dir({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "xnai-validate"
    assert state_dir({"XDG_STATE_HOME": "here"}) == Path.home() / ".local" / "state" / "xnai-validate"


def test_created_folders_are_private(tmp_path: Path) -> None:
    """All folders that are made on the way can be entered by their owner only."""
    create_private(tmp_path / "a" / "b")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]


@pytest.mark.parametrize("mode", [0o770, 0o702])
@pytest.mark.parametrize("inner", ["", "undo"])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int, inner: str) -> None:
    """Another user could plant a record there, by which undo would change what that user likes."""
    folder = tmp_path / "state" / inner
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="another user can write the state folder") as caught:
        UndoFolder.below(tmp_path / "state")
    assert "chmod go-w" in (caught.value.hint or "")
    folder.chmod(0o700)
    UndoFolder.below(tmp_path / "state")


def shared_parent(folder: Path, mode: int) -> Path:
    """A state folder of its owner alone, below a folder with a mode."""
    state = folder / "shared" / "mine" / "state"
    state.mkdir(parents=True, mode=0o700)
    (folder / "shared").chmod(mode)
    return state


def test_a_folder_that_others_can_replace_is_refused(tmp_path: Path) -> None:
    """Who can write a folder above it can put another one in its place, as sshd holds with StrictModes."""
    state = shared_parent(tmp_path, 0o777)
    with pytest.raises(ConfigError, match="can put another folder in place of the state folder") as caught:
        refuse_shared(state)
    assert f"chmod go-w {tmp_path / 'shared'}" in (caught.value.hint or "")
    (tmp_path / "link").symlink_to(state)
    with pytest.raises(ConfigError, match="another folder in place"):
        refuse_shared(tmp_path / "link")


def test_a_link_that_others_can_replace_is_refused(tmp_path: Path) -> None:
    """The folder of a link on the way counts, too; a folder that does not exist yet is not looked at."""
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "link").symlink_to("../state")
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(ConfigError, match="another folder in place"):
        refuse_shared(tmp_path / "shared" / "link")
    refuse_shared(tmp_path / "state", tmp_path / "shared" / "none")


def test_a_folder_below_a_sticky_one_is_accepted(tmp_path: Path) -> None:
    """In /tmp only the owner of a folder may rename it."""
    refuse_shared(shared_parent(tmp_path, 0o1777))


def test_the_folders_of_a_job_may_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitLab lets all users write the folder of a project: who can write there can plant the checks as well."""
    project = tmp_path / "builds" / "project"
    state = project / ".xnai"
    state.mkdir(parents=True, mode=0o700)
    for folder in (tmp_path / "builds", project):
        folder.chmod(0o777)
    monkeypatch.chdir(project)
    refuse_shared(state)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="another folder in place"):
        refuse_shared(state)


def test_a_private_group_may_write_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each user has a group of their own, folders are writable for it; with another member they are refused."""
    state = shared_parent(tmp_path, 0o775)
    gid = (tmp_path / "shared").stat().st_gid
    me = pwd.getpwuid(os.geteuid())
    for others, accepted in (([], True), ([me.pw_name], True), (["somebody"], False)):
        monkeypatch.setattr(grp, "getgrgid", lambda _, others=others: grp.struct_group(("g", "x", gid, others)))
        monkeypatch.setattr(pwd, "getpwall", lambda: [me])
        if accepted:
            refuse_shared(state)
        else:
            with pytest.raises(ConfigError, match="another folder in place"):
                refuse_shared(state)


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner can write it, whatever its mode."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, 12345)
    else:  # only root can give a folder away: let this process be another user instead
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigError, match="another user"):
        refuse_shared(tmp_path)


def test_folders_of_users_outside_of_a_container_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container of an ordinary user, what belongs to the host's root has the id 65534; else that is a user."""
    folder = tmp_path / "home" / "state"
    create_private(folder)
    if os.geteuid() == 0:
        os.chown(tmp_path / "home", 65534, -1)
    else:  # only root can give a folder away: let this process be another user instead
        monkeypatch.setattr(state_folder, "OVERFLOW_UID", tmp_path / "overflowuid")
        (tmp_path / "overflowuid").write_text(f"{os.geteuid()}\n")
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigError, match="another user can"):
        refuse_shared(folder)
    uid_map = tmp_path / "uid_map"
    monkeypatch.setattr(state_folder, "UID_MAP", uid_map)
    uid_map.write_text("     12345       1000          1\n")
    refuse_shared(folder)
    uid_map.write_text("         0     100000      65536\n")
    with pytest.raises(ConfigError, match="another user can"):
        refuse_shared(folder)


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    """A FIFO does not make the reader wait, a link is not followed, a large file is not read; each is unreadable."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "large").write_bytes(b"12345")
    for name in ("fifo", "link", "large"):
        with pytest.raises(OSError, match=r".+"):
            read_private(tmp_path / name, 4)
    assert read_private(tmp_path / "large", 5) == b"12345"
    (tmp_path / "undo").mkdir()
    os.mkfifo(tmp_path / "undo" / "run.1.json")
    (record,) = UndoFolder.below(tmp_path).all()
    assert isinstance(record, Unreadable)
