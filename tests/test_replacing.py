from __future__ import annotations

import errno
import shutil
import threading

import pytest

from udfwidgets.replacing import replacing, replacing_folder


def test_two_at_once_leave_one_of_them_whole(tmp_path):
    target = tmp_path / "scan.npy"
    both_write = threading.Barrier(2)

    def write(text):
        with replacing(target) as path:
            path.write_text(text[:50])
            both_write.wait(10)
            with path.open("a") as file:
                file.write(text[50:])

    threads = [threading.Thread(target=write, args=(each * 100,)) for each in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in ("a" * 100, "b" * 100)
    assert list(tmp_path.iterdir()) == [target]


def test_links_are_not_followed(tmp_path):
    precious, target = tmp_path / "precious", tmp_path / "scan.npy"
    precious.write_text("precious")
    target.symlink_to(precious)
    with replacing(target) as path:
        path.write_text("new")
    assert precious.read_text() == "precious"
    assert target.read_text() == "new"
    assert not target.is_symlink()


def test_name_that_was_taken_meanwhile_is_not_taken_away(tmp_path):
    target = tmp_path / "scan.npy"

    def write():
        with replacing(target, overwrite=False) as path:
            path.write_text("ours")
            target.write_text("theirs")

    with pytest.raises(FileExistsError, match="overwrite=True"):
        write()
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_block_that_fails_leaves_the_old_file(tmp_path):
    target = tmp_path / "scan.npy"
    target.write_text("old")

    def write():
        with replacing(target) as path:
            path.write_text("ne")
            raise OSError(errno.ENOSPC, "the disk is full")

    with pytest.raises(OSError, match="full"):
        write()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_are_those_of_the_file_before(tmp_path):
    target = tmp_path / "scan.npy"
    target.write_text("old")
    target.chmod(0o640)
    with replacing(target) as path:
        path.write_text("new")
    assert target.stat().st_mode & 0o777 == 0o640


def _fill_half(target, error):
    with replacing_folder(target) as unfinished:
        (unfinished / "half").touch()
        raise error


@pytest.mark.parametrize("before", ["nothing", "folder", "link"])
def test_a_folder_gets_its_name_when_it_is_whole(tmp_path, before):
    target, elsewhere = tmp_path / "scan.zarr", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    if before == "folder":
        shutil.copytree(elsewhere, target)
    elif before == "link":
        target.symlink_to(elsewhere)
    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error):
            _fill_half(target, error)
    assert target.exists() == (before != "nothing")
    assert not (target / "half").exists()
    with replacing_folder(target) as unfinished:
        (unfinished / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]
    assert not target.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "scan.zarr"]
    assert (elsewhere / "precious").exists()
    with (
        pytest.raises(FileExistsError, match="overwrite=True"),
        replacing_folder(target, overwrite=False) as unfinished,
    ):
        (unfinished / "other").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]


@pytest.mark.parametrize("replace", [replacing, replacing_folder])
def test_a_folder_that_is_not_there_is_named(tmp_path, replace):
    with (
        pytest.raises(FileNotFoundError, match=r"no folder .*/none, expected one for a\.h5"),
        replace(tmp_path / "none/a.h5"),
    ):
        pass
