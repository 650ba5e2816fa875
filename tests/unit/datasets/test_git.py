"""What git says of repositories that others have locked."""

import errno
import os

import pytest

from cordinr.datasets import git
from cordinr.errors import InputError


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_lock_of_somebody_else_needs_another_owner(tmp_path, monkeypatch, number):
    with pytest.raises(InputError, match=r"belongs to .*; change the owner"):
        lock_failing_with(number, tmp_path, monkeypatch)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOLCK, errno.ENAMETOOLONG])
def test_a_lock_that_fails_otherwise_has_its_own_words(tmp_path, monkeypatch, number):
    with pytest.raises(InputError) as caught:
        lock_failing_with(number, tmp_path, monkeypatch)
    assert os.strerror(number) in str(caught.value) and "owner" not in str(caught.value)


def lock_failing_with(number, folder, monkeypatch) -> None:
    """Lock a clone where the file system says no."""

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(git.FileLock, "acquire", refuse)
    with git.clone_lock(folder / "raw"):
        pass
