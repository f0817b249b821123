"""Fetching a class from real repositories: in folders, over HTTPS and over SSH."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest

from grader.checkouts import Checkout, Checkouts, FetchError
from grader.model import FileState, Student
from grader.repository import git_facts
from grader.rubric import Limits
from grader.textfile import MAX_BYTES, read_text_file
from tests.support.forge import Server, forge

NOON = 1_800_000_000
"""Seconds since 1970 of the first commit; each later one is an hour younger."""
HOUR = 3600

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="made with POSIX calls")


@pytest.fixture(autouse=True)
def _own_git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is on a fresh machine."""
    settings = tmp_path / "gitconfig"
    text = "[user]\n\tname = A\n\temail = a@b.c\n[init]\n\tdefaultBranch = main\n"
    if sys.platform == "win32":  # what Windows brings does not look at a file of certificates
        text += "[http]\n\tsslBackend = openssl\n"
    settings.write_text(text, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str, given: bytes = b"", at: int = NOON) -> str:
    times = {"GIT_COMMITTER_DATE": f"{at} +0000", "GIT_AUTHOR_DATE": f"{at} +0000"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        input=given,
        env={**os.environ, **times},
    )
    return done.stdout.decode().strip()


def commit(folder: Path, files: dict[str, bytes], at: int = NOON) -> str:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "work", at=at)
    return git(folder, "rev-parse", "HEAD")


def commit_tree(folder: Path, entries: bytes) -> str:
    """Commits a tree that git itself would refuse to write."""
    arguments = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    tree = git(folder, *arguments, given=entries)
    made = git(folder, "commit-tree", tree, "-m", "odd")
    git(folder, "update-ref", "refs/heads/main", made)
    return made


def lose(folder: Path, name: str) -> None:
    """Takes the content of a committed file out of the repository."""
    blob = git(folder, "rev-parse", f"HEAD:{name}")
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, {"README.md": b"one\n", "assignment/script.py": b"print()\n"})
    return folder


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(tmp_path / "out" / ".cache", pause=lambda _: None)


def student(place: Path | str, ref: str | None = None) -> Student:
    url = place.as_uri() if isinstance(place, Path) else place
    return Student(key="ana", repository=url, ref=ref)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def failure(checkouts: Checkouts, who: Student, deadline: datetime | None = None) -> str:
    with pytest.raises(FetchError) as caught:
        checkouts.get(who, deadline)
    return str(caught.value)


def files(checkout: Checkout) -> dict[str, bytes]:
    """What the submission holds, its .git left out."""
    paths = [path for path in checkout.folder.rglob("*") if path.is_file()]
    named = {path.relative_to(checkout.folder).as_posix(): path for path in paths}
    return {name: p.read_bytes() for name, p in named.items() if not name.startswith(".git/")}


# ---------------------------------------------------------------- what is kept


def test_fetched_once(work: Path, checkouts: Checkouts) -> None:
    """The commit's files are laid out, and the same commit is not fetched a second time."""
    first = checkouts.get(student(work))
    assert files(first) == {"README.md": b"one\n", "assignment/script.py": b"print()\n"}
    assert (first.commit, first.moved, first.late) == (git(work, "rev-parse", "HEAD"), True, False)
    (first.folder / "README.md").write_bytes(b"still here")
    again = checkouts.get(student(work))
    assert (again.moved, files(again)["README.md"]) == (False, b"still here")


def test_moved(work: Path, checkouts: Checkouts) -> None:
    """What was pushed since is fetched, and what was fetched earlier stays as it was."""
    first = checkouts.get(student(work))
    made = commit(work, {"README.md": b"two\n"})
    moved = checkouts.get(student(work))
    assert (moved.moved, moved.commit) == (True, made)
    assert (files(first)["README.md"], files(moved)["README.md"]) == (b"one\n", b"two\n")


def test_facts(work: Path, checkouts: Checkouts) -> None:
    """The folder says itself which commit of which repository it is, whatever lies around it."""
    checkout = checkouts.get(student(work))
    facts = git_facts(checkout.folder)
    assert (facts.commit, facts.remote, facts.notes) == (checkout.commit, work.as_uri(), ())


def test_killed_fetch_leaves_nothing(work: Path, checkouts: Checkouts) -> None:
    """What a killed grader left half done is cleared away and not taken for a submission."""
    home = checkouts.get(student(work)).folder.parent
    (home / "fetch-left" / "repository").mkdir(parents=True)
    made = commit(work, {"README.md": b"two\n"})
    assert checkouts.get(student(work)).commit == made
    assert not list(home.glob("fetch-*"))


def test_many_at_once(work: Path, tmp_path: Path) -> None:
    """Threads and graders that want the same repository at the same time all get it whole."""
    graders = [Checkouts(tmp_path / "out", pause=lambda _: None) for _ in range(6)]
    with ThreadPoolExecutor(len(graders)) as pool:
        found = list(pool.map(lambda grader: grader.get(student(work)), graders))
    assert len({checkout.folder for checkout in found}) == 1
    assert len(files(found[0])) == 2


def test_two_repositories_of_one_name(work: Path, tmp_path: Path, checkouts: Checkouts) -> None:
    """Repositories that end in the same name do not share a folder."""
    other = tmp_path / "other" / "work"
    other.parent.mkdir()
    git(tmp_path, "clone", "--quiet", str(work), str(other))
    assert checkouts.get(student(work)).folder != checkouts.get(student(other)).folder


def test_inside_a_git_hook(
    work: Path, checkouts: Checkouts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another repository named in the environment is neither read nor written."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    assert len(files(checkouts.get(student(work)))) == 2
    assert not (tmp_path / "elsewhere").exists()


# ---------------------------------------------------------------- folders


def test_plain_folder(tmp_path: Path, checkouts: Checkouts) -> None:
    """A folder is graded where it is, with what was not committed, and no commit is claimed."""
    checkout = checkouts.get(student(str(tmp_path)))
    assert (checkout.folder, checkout.commit, checkout.moved) == (tmp_path, None, False)


def test_work_tree(work: Path, checkouts: Checkouts) -> None:
    """A cloned folder is graded as it lies there; with a ref, that commit of it is."""
    made = git(work, "rev-parse", "HEAD")
    (work / "README.md").write_bytes(b"not committed\n")
    assert files(checkouts.get(student(str(work))))["README.md"] == b"not committed\n"
    fetched = checkouts.get(student(str(work), "main"))
    assert (fetched.commit, files(fetched)["README.md"]) == (made, b"one\n")
    assert git(work, "status", "--porcelain") == "M README.md"


def test_bare_repository(work: Path, tmp_path: Path, checkouts: Checkouts) -> None:
    """The path of a repository without a work tree is fetched from."""
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "a b.git")
    assert len(files(checkouts.get(student(str(tmp_path / "a b.git"))))) == 2


def test_no_folder(tmp_path: Path, checkouts: Checkouts) -> None:
    """A folder that is not there, and one that cannot tell of the past, are told of."""
    assert "There is no folder" in failure(checkouts, student(str(tmp_path / "no")))
    assert "is no git repository" in failure(checkouts, student(str(tmp_path), "main"))
    assert "the deadline" in failure(checkouts, student(str(tmp_path)), at(NOON))


# ---------------------------------------------------------------- branches, tags and commits


@pytest.mark.parametrize("ref", ["main", "v1", "refs/heads/main", "HEAD"])
def test_ref(work: Path, checkouts: Checkouts, ref: str) -> None:
    """A branch, an annotated tag, and a name in full lead to the commit."""
    git(work, "tag", "--annotate", "--message", "v1", "v1")
    made = git(work, "rev-parse", "HEAD")
    assert [checkouts.get(student(work, ref)).moved for _ in range(2)] == [True, False]
    assert checkouts.get(student(work, ref)).commit == made


def test_commit_as_ref(work: Path, checkouts: Checkouts) -> None:
    """A commit that no branch ends in is fetched; only a shortened one is not understood."""
    earlier = git(work, "rev-parse", "HEAD")
    commit(work, {"README.md": b"two\n"})
    assert files(checkouts.get(student(work, earlier)))["README.md"] == b"one\n"
    assert "in full" in failure(checkouts, student(work, earlier[:8]))
    assert "does not have the commit" in failure(checkouts, student(work, "0" * 40))


def test_deleted_branch(work: Path, checkouts: Checkouts) -> None:
    """For a branch that is gone, the one that may be meant is named."""
    git(work, "branch", "solution")
    assert failure(checkouts, student(work, "solutoin")).endswith("did you mean 'solution'?")
    git(work, "checkout", "--quiet", "--detach")
    git(work, "branch", "--delete", "--force", "main")
    git(work, "symbolic-ref", "HEAD", "refs/heads/main")
    assert "lost its default branch; there are: solution." in failure(checkouts, student(work))


def test_empty_repository(tmp_path: Path, checkouts: Checkouts) -> None:
    """A repository without a commit says so."""
    git(tmp_path, "init", "--quiet", "--bare", "empty")
    assert "empty is empty: nothing" in failure(checkouts, student(tmp_path / "empty"))


def test_no_repository(tmp_path: Path, checkouts: Checkouts) -> None:
    """A path without a repository says so."""
    assert "There is no repository at" in failure(checkouts, student(tmp_path / "nothing"))


# ---------------------------------------------------------------- deadline


def history(folder: Path, commits: int) -> None:
    """Adds commits, an hour apart, quicker than by committing each."""
    lines = [b"feature done\n"]
    for number in range(1, commits + 1):
        when = f"{NOON + number * HOUR} +0000".encode()
        text = f"{number}\n".encode()
        base = b"from refs/heads/main^0\n" if number == 1 else b""
        lines += [
            b"commit refs/heads/main\ncommitter A <a@b.c> " + when + b"\ndata 1\nx\n" + base,
            b"M 100644 inline README.md\ndata " + str(len(text)).encode() + b"\n" + text,
        ]
    git(folder, "fast-import", "--quiet", given=b"".join([*lines, b"done\n"]))


@pytest.mark.parametrize("ahead", [0, 3, 70])
def test_deadline(work: Path, checkouts: Checkouts, ahead: int) -> None:
    """The last commit before the deadline is graded, however many have come after it."""
    history(work, 80)
    deadline = at(NOON + (80 - ahead) * HOUR + 60)
    checkout = checkouts.get(student(work), deadline)
    assert files(checkout)["README.md"] == f"{80 - ahead}\n".encode()
    assert (checkout.late, checkout.moved) == (ahead > 0, True)
    again = checkouts.get(student(work), deadline)
    assert (again.folder, again.late, again.moved) == (checkout.folder, ahead > 0, False)
    assert files(checkouts.get(student(work)))["README.md"] == b"80\n"


def test_before_the_first_commit(work: Path, checkouts: Checkouts) -> None:
    """Nothing there at the deadline is told with the time of the first commit."""
    history(work, 60)
    reason = failure(checkouts, student(work), at(NOON - 60))
    assert "before the deadline: its first one is from 2027-01-15 08:00 UTC" in reason


def test_deadline_keeps_to_the_branch(work: Path, checkouts: Checkouts) -> None:
    """A merge after the deadline does not bring in what others did before it."""
    git(work, "checkout", "--quiet", "-b", "theirs")
    commit(work, {"README.md": b"theirs\n"}, NOON + 2 * HOUR)
    git(work, "checkout", "--quiet", "main")
    own = commit(work, {"own.txt": b"mine\n"}, NOON + HOUR)
    git(work, "merge", "--quiet", "--no-edit", "theirs", at=NOON + 9 * HOUR)
    assert checkouts.get(student(work), at(NOON + 3 * HOUR)).commit == own


# ---------------------------------------------------------------- odd files


def test_lost_object(work: Path, checkouts: Checkouts) -> None:
    """A large file that the repository has lost costs nobody anything."""
    commit(work, {"data.csv": os.urandom(3_000_000), "more.csv": b"1,2\n"})
    lose(work, "data.csv")
    found = files(checkouts.get(student(work)))
    assert set(found) == {"README.md", "assignment/script.py", "more.csv"}


def test_lost_text(work: Path, checkouts: Checkouts) -> None:
    """A lost file that a student is graded by is told of, and not taken for one not written."""
    lose(work, "README.md")
    assert "has lost what was in README.md" in failure(checkouts, student(work))


def test_large_file(work: Path, checkouts: Checkouts) -> None:
    """A file too large to be read is not fetched, and yet there."""
    commit(work, {"data.csv": os.urandom(MAX_BYTES + 1), "README.md": b"x" * MAX_BYTES})
    folder = checkouts.get(student(work)).folder
    assert "larger than" in str(read_text_file(folder / "data.csv", "data.csv").problem)
    assert read_text_file(folder / "README.md", "README.md").state is FileState.PRESENT


@needs_posix
def test_link(work: Path, checkouts: Checkouts) -> None:
    """A committed link is told of as a link and leads nowhere."""
    (work / "README.md").unlink()
    (work / "README.md").symlink_to("/etc/passwd")
    commit(work, {})
    folder = checkouts.get(student(work)).folder
    assert "is a link" in str(read_text_file(folder / "README.md", "README.md").problem)
    assert not (folder / "README.md").exists()


def test_hostile_names(work: Path, checkouts: Checkouts) -> None:
    """Names that lead out, into .git or to the screen are left out; the others come."""
    blob = bytes.fromhex(git(work, "rev-parse", "HEAD:README.md"))
    tree = bytes.fromhex(git(work, "rev-parse", "HEAD:assignment"))
    bad = [b".git", b".GIT", b"..", b"../up", b"/root", b"a\\b", b"\x1b[2J", b"\xff", b"a\nb"]
    names = [*((b"100644", name, blob) for name in [*bad, b"good.txt"]), (b"40000", b"..", tree)]
    commit_tree(work, b"".join(mode + b" " + name + b"\0" + to for mode, name, to in names))
    checkout = checkouts.get(student(work))
    assert files(checkout) == {"good.txt": b"one\n"}
    assert {path.name for path in checkout.folder.iterdir()} == {".git", "good.txt"}


def test_endless_tree(work: Path, checkouts: Checkouts) -> None:
    """A folder that holds itself many times over is listed no deeper than it is read."""
    entry = b"100644 f\0" + bytes.fromhex(git(work, "rev-parse", "HEAD:README.md"))
    for _ in range(9):
        arguments = ("hash-object", "-t", "tree", "-w", "--stdin")
        tree = bytes.fromhex(git(work, *arguments, given=entry))
        entry = b"".join(b"40000 %c\0" % letter + tree for letter in b"abcdefghij")
    commit_tree(
        work, entry + b"100644 z\0" + bytes.fromhex(git(work, "rev-parse", "HEAD:README.md"))
    )
    assert files(checkouts.get(student(work))) == {"z": b"one\n"}


def test_odd_folders(work: Path, checkouts: Checkouts) -> None:
    """Folders whose names mean something to git are folders."""
    names = ["-x/a.txt", "a b/a.txt", "ä/a.txt", "[a]/a.txt"]
    commit(work, dict.fromkeys(names, b"here\n"))
    assert set(names) <= set(files(checkouts.get(student(work))))


def test_too_much(work: Path, tmp_path: Path) -> None:
    """A repository that takes more room than a submission may is not kept."""
    commit(work, {f"{number}.bin": os.urandom(1_500_000) for number in range(8)})
    checkouts = Checkouts(tmp_path / "out", limits=Limits(disk_bytes=1_000_000))
    assert "far more than a submission" in failure(checkouts, student(work))


def test_stopped(work: Path, tmp_path: Path) -> None:
    """A grader that is told to stop fetches nothing more."""
    stop = threading.Event()
    stop.set()
    assert "was stopped" in failure(Checkouts(tmp_path / "out", stop=stop), student(work))


# ---------------------------------------------------------------- servers


@pytest.fixture
def server(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with the repositories `good`, `busy`, `private`, `forbidden` and `gone`."""
    root = tmp_path / "forge"
    root.mkdir()
    for name in ("good", "busy", "private", "forbidden"):
        git(root, "clone", "--quiet", "--bare", str(work), name)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(root / "ca.pem"))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with forge(root) as running:
        running.faults = {"private": [401] * 9, "forbidden": [403] * 9}
        yield running


def test_https(server: Server, checkouts: Checkouts) -> None:
    """Over HTTPS a repository is fetched, and then only asked whether it has moved."""
    first = checkouts.get(student(server.url("good")))
    assert len(files(first)) == 2
    before = server.asked["good"]
    assert not checkouts.get(student(server.url("good"))).moved
    assert server.asked["good"] - before <= 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("private", "is private or does not exist"),
        ("forbidden", "You are not allowed to read"),
        ("gone", "There is no repository at"),
    ],
)
def test_refusals(server: Server, checkouts: Checkouts, name: str, reason: str) -> None:
    """What the server refuses is told in a sentence, without asking anybody and only once."""
    assert reason in failure(checkouts, student(server.url(name)))
    assert server.asked[name] == 1


def test_busy_server(server: Server, tmp_path: Path) -> None:
    """A server that is overloaded is asked again after a while, longer each time."""
    pauses: list[float] = []
    checkouts = Checkouts(tmp_path / "out", pause=pauses.append)
    server.faults["busy"] = [503, 429]
    assert len(files(checkouts.get(student(server.url("busy"))))) == 2
    assert len(pauses) == 2
    assert pauses == sorted(set(pauses))


def test_broken_server(server: Server, checkouts: Checkouts) -> None:
    """A server that stays broken is given up in the end."""
    server.faults["busy"] = [500] * 99
    assert "overloaded or faulty" in failure(checkouts, student(server.url("busy")))
    assert server.asked["busy"] == 3


def test_hanging_server(server: Server, tmp_path: Path) -> None:
    """A server that never answers costs a bounded time."""
    checkouts = Checkouts(tmp_path / "out", pause=lambda _: None, limits=Limits(wall_seconds=0.3))
    assert "did not answer in time" in failure(checkouts, student(server.url("hangs")))


def test_nobody_there(checkouts: Checkouts) -> None:
    """A computer on which no server listens is told of."""
    assert "failed" in failure(checkouts, student("https://127.0.0.1:1/x"))


def test_untrusted_server(
    server: Server, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that cannot prove who it is gets nothing."""
    monkeypatch.delenv("GIT_SSL_CAINFO")
    assert "certificate" in failure(checkouts, student(server.url("good")))


def test_password_is_kept_nowhere(server: Server, checkouts: Checkouts, tmp_path: Path) -> None:
    """A password in an address is used, but stands in no file of the cache and in no reason."""
    server.faults["busy"] = [401]
    checkout = checkouts.get(student(server.url("busy", "me:s3cret@")))
    assert any(server.authorities)
    kept = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cret" in path.read_bytes() or "s3cret" in str(path)]
    assert git_facts(checkout.folder).remote == server.url("busy")
    assert "s3cret" not in failure(checkouts, student(server.url("private", "me:s3cret@")))


@needs_posix
def test_ssh(work: Path, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over SSH a repository is fetched by the user's own ssh."""
    monkeypatch.setenv("GIT_SSH_COMMAND", 'f() { shift $(($# - 1)); sh -c "$1"; }; f')
    assert len(files(checkouts.get(student(f"ssh://git@127.0.0.1{work}")))) == 2


@needs_posix
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("git@host: Permission denied (publickey).", "does not accept your SSH key"),
        ("Host key verification failed.", "is not known to this computer yet"),
        ("ERROR: Repository not found.", "There is no repository at"),
        ("ssh: connect to host h port 22: Connection timed out", "did not answer in time"),
    ],
)
def test_ssh_refusals(
    checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    """What ssh complains of is told in a sentence."""
    monkeypatch.setenv("GIT_SSH_COMMAND", f"f() {{ echo '{said}' >&2; exit 255; }}; f")
    assert reason in failure(checkouts, student("git@127.0.0.1:a/b"))


def test_without_git(work: Path, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git the reason asks for it."""
    monkeypatch.setenv("PATH", "")
    assert "git is missing" in failure(checkouts, student(work))
