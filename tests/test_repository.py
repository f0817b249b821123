"""Git facts of folders nobody vouches for, and fetching from real repositories by URL."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import repository
from grader.errors import UsageError
from grader.repository import fetched, git_facts, is_url, shown_url

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="made with POSIX calls")


@pytest.fixture(autouse=True)
def _own_git_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is on a fresh machine."""
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[user]\n\tname = A\n\temail = a@b.c\n[init]\n\tdefaultBranch = main\n", encoding="utf-8"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder of ours."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


def git_input(folder: Path, *arguments: str, said: str) -> str:
    """Runs git in a folder of ours, with something to read."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, input=said.encode()
    )
    return done.stdout.decode().strip()


def commit(folder: Path, name: str, content: str) -> str:
    """Commits one file and returns the commit."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode())
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit on `main` and the tag `v1`."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, "README.md", "one\n")
    git(folder, "tag", "v1")
    return folder


def fake(folder: Path, head: str = "ref: refs/heads/main", settings: str = "") -> Path:
    """Writes a .git by hand, with one branch."""
    (folder / ".git" / "refs" / "heads").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(head, encoding="utf-8")
    (folder / ".git" / "refs" / "heads" / "main").write_text(f"{COMMIT}\n", encoding="utf-8")
    (folder / ".git" / "config").write_text(settings, encoding="utf-8")
    return folder


def notes(folder: Path) -> str:
    """The notes' texts as one text."""
    return " ".join(note.text for note in git_facts(folder).notes)


# ---------------------------------------------------------------- facts


def test_facts_of_a_real_repository(work: Path) -> None:
    """The commit is HEAD's and the remote is origin's, whatever other remotes there are."""
    git(work, "remote", "add", "another", "https://host/another")
    git(work, "remote", "add", "origin", "https://host/mine.git")
    facts = git_facts(work)
    assert facts.commit == git(work, "rev-parse", "HEAD")
    assert facts.remote == "https://host/mine.git"
    assert facts.notes == ()


def test_facts_from_a_folder_inside(work: Path) -> None:
    """A submission may be any folder inside its repository."""
    (work / "a" / "b").mkdir(parents=True)
    assert git_facts(work / "a" / "b").commit == git(work, "rev-parse", "HEAD")


def test_packed_branch(work: Path) -> None:
    """A branch that git keeps in its packed file is found there."""
    git(work, "branch", "main2", "HEAD")
    commit(work, "two", "2")
    git(work, "pack-refs", "--all")
    assert not (work / ".git" / "refs" / "heads" / "main").exists()
    assert git_facts(work).commit == git(work, "rev-parse", "HEAD")


def test_detached_head(work: Path) -> None:
    """A HEAD on no branch names its commit itself."""
    git(work, "checkout", "--quiet", "--detach")
    assert git_facts(work).commit == git(work, "rev-parse", "HEAD")


def test_no_repository(tmp_path: Path) -> None:
    """Outside any repository there is a note and no commit."""
    assert git_facts(tmp_path).commit is None
    assert "in no git repository" in notes(tmp_path)


def test_empty_repository(tmp_path: Path) -> None:
    """A repository without a commit is a note."""
    git(tmp_path, "init", "--quiet")
    facts = git_facts(tmp_path)
    assert (facts.commit, facts.remote) == (None, None)
    assert "no commit yet" in notes(tmp_path)


def test_bare_repository_settings(tmp_path: Path) -> None:
    """A repository that calls itself bare is read like any other."""
    facts = git_facts(fake(tmp_path, settings='[core]\n\tbare = true\n[remote "x"]\n\turl = u\n'))
    assert (facts.commit, facts.remote, facts.notes) == (COMMIT, "u", ())


@pytest.mark.parametrize(
    "head",
    ["", "nonsense", "ref:", "ref: refs/heads/gone", "ref: HEAD", "\0" * 50, "ref: refs/../../x"],
)
def test_broken_head(tmp_path: Path, head: str) -> None:
    """A HEAD that leads nowhere is a note."""
    assert git_facts(fake(tmp_path, head)).commit is None
    assert "HEAD is damaged" in notes(tmp_path)


def test_branches_in_a_circle(tmp_path: Path) -> None:
    """Branches that name each other end in a note."""
    fake(tmp_path)
    branches = tmp_path / ".git" / "refs" / "heads"
    (branches / "main").write_text("ref: refs/heads/other", encoding="utf-8")
    (branches / "other").write_text("ref: refs/heads/main", encoding="utf-8")
    assert "HEAD is damaged" in notes(tmp_path)


def test_head_does_not_lead_out(tmp_path: Path) -> None:
    """A branch name with `..` in it is not followed to a file elsewhere."""
    (tmp_path / "outside").write_text(OTHER, encoding="utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    assert git_facts(fake(inside, "ref: refs/../../../outside")).commit is None


@needs_posix
def test_links_and_pipes_in_the_repository(tmp_path: Path) -> None:
    """Links and named pipes where git keeps its files are neither followed nor waited for."""
    (tmp_path / "outside").write_text('[remote "origin"]\n\turl = secret\n', encoding="utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    fake(inside)
    (inside / ".git" / "HEAD").unlink()
    (inside / ".git" / "config").unlink()
    os.mkfifo(inside / ".git" / "HEAD")
    (inside / ".git" / "config").symlink_to(tmp_path / "outside")
    facts = git_facts(inside)
    assert (facts.commit, facts.remote) == (None, None)
    assert len(facts.notes) == 2


@pytest.mark.parametrize("kind", ["file", "link"])
def test_git_folder_elsewhere(tmp_path: Path, work: Path, kind: str) -> None:
    """A .git that only points to another repository tells nothing of that repository."""
    folder = tmp_path / "submission"
    folder.mkdir()
    if kind == "file":
        (folder / ".git").write_text(f"gitdir: {work / '.git'}\n", encoding="utf-8")
    else:
        (folder / ".git").symlink_to(work / ".git")
    assert git_facts(folder).commit is None
    assert "points to another place" in notes(folder)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("no section at all", id="no section"),
        pytest.param('[remote "origin"\nurl', id="open section"),
        pytest.param("[a]\n" + "x" * 10_000, id="too large"),
    ],
)
def test_broken_settings(tmp_path: Path, content: str) -> None:
    """Settings that make no sense are a note, and the commit is still told."""
    facts = git_facts(fake(tmp_path, settings=content))
    assert (facts.commit, facts.remote) == (COMMIT, None)
    assert "settings of the git repository make no sense" in notes(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=2000)
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from(['[remote "o"]', "\n", "url", "=", '"', "\\", "x", "\t"])).map(
        lambda parts: "".join(parts).encode()
    )
)
def test_any_settings(tmp_path: Path, content: bytes) -> None:
    """Whatever stands in the settings, the commit is told."""
    if not (tmp_path / ".git").exists():
        fake(tmp_path)
    (tmp_path / ".git" / "config").write_bytes(content)
    assert git_facts(tmp_path).commit == COMMIT


def test_included_settings_are_not_read(tmp_path: Path) -> None:
    """Settings that include another file of this machine do not bring it into the report."""
    secret = tmp_path / "secret"
    secret.write_text('[remote "origin"]\n\turl = secret\n', encoding="utf-8")
    facts = git_facts(fake(tmp_path, settings=f"[include]\n\tpath = {secret.as_posix()}\n"))
    assert facts.remote is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host/x.git", "https://host/x.git"),
        ("https://secret@host/x.git", "https://host/x.git"),
        ("https://me:se@cret@host/x.git", "https://host/x.git"),
        ("https://host/x?private_token=secret", "https://host/x"),
        ("git@host:me/x.git", "git@host:me/x.git"),
        ("ssh://git@host:22/x", "ssh://host:22/x"),
        ("https://host/a\x1b]0;b\x07c\u202ed", "https://host/a]0;bcd"),
    ],
)
def test_remote_shows_no_secret(tmp_path: Path, url: str, shown: str) -> None:
    """User, password, token and control characters are taken out of the remote."""
    fake(tmp_path, settings=f'[remote "origin"]\n\turl = "{url}"\n')
    assert git_facts(tmp_path).remote == shown
    assert shown_url(url) == shown


def test_no_program_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the facts starts no program, whatever the repository's settings ask for."""
    git_facts(tmp_path)  # GitPython asks for git's version when it is first imported

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)
    trap = '[core]\n\tfsmonitor = touch trap\n\tsshCommand = touch trap\n[remote "o"]\n\turl = u\n'
    facts = git_facts(fake(tmp_path, settings=trap))
    assert (facts.commit, facts.remote) == (COMMIT, "u")


def test_without_git(tmp_path: Path) -> None:
    """On a machine without git the facts are still read."""
    fake(tmp_path, settings='[remote "o"]\n\turl = u\n')
    program = (
        "from pathlib import Path; from grader.repository import git_facts;"
        "facts = git_facts(Path('.')); print(facts.commit, facts.remote, facts.notes)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PATH": "", "PYTHONPATH": str(Path(repository.__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == f"{COMMIT} u ()"


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://github.com/me/x", True),
        ("ssh://git@host/x", True),
        ("git@github.com:me/x.git", True),
        ("file:///tmp/x@main", True),
        ("http://host/x", True),
        ("ext::sh -c touch", True),
        (".", False),
        ("C:\\Users\\me", False),
        ("C:/Users/me@home:x", False),
        ("./git@host:x", False),
        ("my@folder", False),
        ("--upload-pack=x", False),
    ],
)
def test_is_url(source: str, expected: bool) -> None:
    """An address has a scheme, or a user and a host before a colon; all else is a folder."""
    assert is_url(source) is expected


@pytest.mark.parametrize(
    ("source", "url", "ref"),
    [
        ("https://host/me/x", "https://host/me/x", "HEAD"),
        ("https://host/me/x@main", "https://host/me/x", "main"),
        ("https://host/me/x.git@feature/y", "https://host/me/x.git", "feature/y"),
        ("https://me@host/x", "https://me@host/x", "HEAD"),
        ("https://me:p@host/x@v1", "https://me:p@host/x", "v1"),
        ("https://host/@me/x", "https://host/@me/x", "HEAD"),
        ("https://host/a/@me/x", "https://host/a/@me/x", "HEAD"),
        ("https://host/@me/x@v1", "https://host/@me/x", "v1"),
        ("git@host:me/x.git", "git@host:me/x.git", "HEAD"),
        ("git@host:me/x@v1.0", "git@host:me/x", "v1.0"),
        ("ssh://git@host:22/x@refs/pull/3/head", "ssh://git@host:22/x", "refs/pull/3/head"),
        ("file:///no/such@y/x@main", "file:///no/such@y/x", "main"),
    ],
)
def test_where_the_ref_starts(source: str, url: str, ref: str) -> None:
    """Only an @ in the path announces a ref; those before it belong to the user's name."""
    assert repository.split_source(source) == (url, ref)


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c 'touch trap'",
        "ext://sh -c touch",
        "fd::7",
        "http://host/x",
        "git://host/x",
        "ftp://host/x",
        "--upload-pack=touch",
        "-u",
        "https://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=touch/x",
        "git@-oProxyCommand=touch:x",
        "git@host:-x",
        "https://host/x\n@y",
        "https://host/x\x1b[2J",
        "https://",
        "file://",
        "plain",
        "",
    ],
)
def test_refused_addresses(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other transports, options and broken addresses are refused before git is started."""
    monkeypatch.setattr(repository, "_git", lambda *_: pytest.fail("git was started"))
    with pytest.raises(UsageError, match="starts with https://"), fetched(source):
        pass


@pytest.mark.parametrize("ref", ["", "-x", "a b", "a:b", "+main", "a^", "a~1", "*"])
def test_refused_refs(ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ref that git could take for an option or for more than one thing is refused."""
    monkeypatch.setattr(repository, "_git", lambda *_: pytest.fail("git was started"))
    with pytest.raises(UsageError, match="no branch, tag or commit"), fetched(f"https://h/x@{ref}"):
        pass


# ---------------------------------------------------------------- fetching


def test_fetches_the_default_branch(work: Path) -> None:
    """Without a ref the repository's own branch comes, and the folder goes away afterwards."""
    latest = commit(work, "notes/two.txt", "two\r\n")
    with fetched(work.as_uri()) as folder:
        assert (folder / "notes" / "two.txt").read_bytes() == b"two\r\n"
        facts = git_facts(folder)
        assert (facts.commit, facts.remote) == (latest, work.as_uri())
        assert git(folder, "rev-list", "--count", "HEAD") == "1"
    assert not folder.parent.exists()


def test_only_near_folders_are_checked_out(work: Path) -> None:
    """Files at the root and in its folders arrive; what lies deeper can be without end."""
    for name in ("top.txt", "my work/near.txt", "a(b)/c/far.txt", "-rf/near.txt", "[x]/near.txt"):
        commit(work, name, "1")
    with fetched(work.as_uri()) as folder:
        found = {str(path.relative_to(folder)) for path in folder.rglob("*.txt")}
    assert found == {"top.txt", str(Path("my work", "near.txt")), str(Path("-rf", "near.txt"))}


def test_a_bomb_of_folders_does_not_go_off(work: Path) -> None:
    """Eight small objects that stand for a hundred million files are fetched like any others."""
    inner = git_input(work, "hash-object", "-w", "--stdin", said="x")
    kind = "100644 blob"
    for _ in range(8):
        entries = "".join(f"{kind} {inner}\tf{place}\n" for place in range(10))
        inner, kind = git_input(work, "mktree", said=entries), "040000 tree"
    git(work, "update-ref", "HEAD", git(work, "commit-tree", inner, "-m", "bomb"))
    with fetched(work.as_uri()) as folder:
        assert [path.name for path in folder.iterdir()] == [".git"]


def test_fetches_a_branch_a_tag_and_a_commit(work: Path) -> None:
    """A ref may be a branch, with slashes too, a tag, or a whole commit."""
    first = git(work, "rev-parse", "HEAD")
    git(work, "checkout", "--quiet", "-b", "feature/y")
    second = commit(work, "README.md", "two\n")
    commit(work, "README.md", "three\n")
    git(work, "branch", "later")
    git(work, "reset", "--quiet", "--hard", second)
    for ref, expected in [("v1", first), ("main", first), ("feature/y", second), (second, second)]:
        with fetched(f"{work.as_uri()}@{ref}") as folder:
            assert git_facts(folder).commit == expected


def test_folder_with_an_at_in_its_name(work: Path) -> None:
    """An @ in the name of a folder that exists is no ref."""
    moved = work.rename(work.with_name("me@home"))
    uri = "file://" + moved.as_posix() if sys.platform != "win32" else moved.as_uri()
    with fetched(uri) as folder:
        assert (folder / "README.md").exists()
    with fetched(f"{uri}@v1") as folder:
        assert (folder / "README.md").exists()


def test_folder_goes_away_after_an_error(work: Path) -> None:
    """The temporary folder is removed when the caller fails, too."""
    seen: list[Path] = []

    def fail() -> None:
        with fetched(work.as_uri()) as folder:
            seen.append(folder)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not seen[0].exists()


def test_nothing_there(tmp_path: Path) -> None:
    """An address with no repository gives git's reason and what to check."""
    with (
        pytest.raises(UsageError, match=r"could not be fetched: .*Check the address"),
        fetched((tmp_path / "nowhere").as_uri()),
    ):
        pass


def test_unknown_ref(work: Path) -> None:
    """A branch that is not there is named in the reason."""
    with (
        pytest.raises(UsageError, match=r"could not be fetched: .*nosuchbranch"),
        fetched(f"{work.as_uri()}@nosuchbranch"),
    ):
        pass


def test_failure_shows_no_secret() -> None:
    """The password in an address is in no message, neither ours nor git's."""
    with (
        pytest.raises(UsageError, match="could not be fetched") as caught,
        fetched("https://me:secret@127.0.0.1:1/x?token=secret"),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "127.0.0.1:1/x" in str(caught.value)


def test_fetching_without_git(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git the message asks whether it is installed."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="is it installed"), fetched(work.as_uri()):
        pass


@needs_posix
def test_slow_fetch_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch that does not end is stopped, with the programs that git started, and told of."""
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/pid\nwait\n", encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(repository, "_FETCH_SECONDS", 1.0)
    with pytest.raises(UsageError, match="longer than 1 s"), fetched("https://host/x"):
        pass
    helper = int((tmp_path / "pid").read_text(encoding="utf-8"))
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(helper).status() == psutil.STATUS_ZOMBIE


@needs_posix
def test_submission_executes_nothing(tmp_path: Path, work: Path) -> None:
    """Neither the user's filters, hooks and templates nor what the submission asks for is run."""
    trap = tmp_path / "trap"
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
    (hooks / "post-checkout").chmod(0o755)
    with (tmp_path / "gitconfig").open("a", encoding="utf-8") as settings:
        settings.write(
            f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n"
            f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {trap}\n"
            f'[filter "evil"]\n\tsmudge = touch {trap}; cat\n\trequired = true\n'
        )
    (work / ".gitattributes").write_text("* filter=evil text eol=crlf\n", encoding="utf-8")
    git(work, "-c", "filter.evil.clean=cat", "-c", "filter.evil.smudge=cat", "add", "--all")
    plain = ("-c", "core.hooksPath=", "-c", "filter.evil.clean=cat", "-c", "core.fsmonitor=false")
    git(work, *plain, "commit", "--quiet", "--message", "trap")
    trap.unlink(missing_ok=True)
    with fetched(work.as_uri()) as folder:
        assert (folder / "README.md").read_bytes() == b"one\n"
        assert not (folder / ".git" / "hooks").exists()
    assert not trap.exists()


def test_inside_a_git_hook(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run from a git hook, a fetch leaves the repository that the hook belongs to alone."""
    mine = tmp_path / "mine"
    mine.mkdir()
    git(mine, "init", "--quiet")
    before = commit(mine, "mine.txt", "mine")
    for name, value in [("DIR", ".git"), ("WORK_TREE", ""), ("INDEX_FILE", ".git/index")]:
        monkeypatch.setenv(f"GIT_{name}", str(mine / value))
    with fetched(work.as_uri()) as folder:
        assert (folder / "README.md").exists()
    for name in ("DIR", "WORK_TREE", "INDEX_FILE"):
        monkeypatch.delenv(f"GIT_{name}")
    assert git(mine, "rev-parse", "HEAD") == before
    assert git(mine, "remote") == ""
    assert git(mine, "status", "--porcelain") == ""


def test_submodules_are_not_fetched(work: Path, tmp_path: Path) -> None:
    """A submodule's address is not visited, even if the user's settings ask for it."""
    with (tmp_path / "gitconfig").open("a", encoding="utf-8") as settings:
        settings.write("[submodule]\n\trecurse = true\n\tactive = .\n")
    (work / ".gitmodules").write_text(
        f'[submodule "m"]\n\tpath = m\n\turl = {(tmp_path / "elsewhere").as_uri()}\n',
        encoding="utf-8",
    )
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{OTHER},m")
    commit(work, "two", "2")
    with fetched(work.as_uri()) as folder:
        assert not (folder / ".git" / "modules").exists()
