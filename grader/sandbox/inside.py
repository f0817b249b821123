"""Starts an untrusted program with as few rights as it needs. Runs outside of the grader.

`python inside.py KEY=VALUE ... -- PROGRAM ARGUMENT ...` gives up what the keys say and becomes
the program. With `keep=FD` it stays beside the program instead and ends whatever the program
started, at the latest when the other end of FD closes because the grader is gone.

It needs the standard library alone and little of that, so that it starts quickly and works
with `python -I -S`; the libraries for Landlock and seccomp are imported where they are asked for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of linux/prctl.h: orphans become our children."""
_DROP_CAPABILITY = 24
"""PR_CAPBSET_DROP of linux/prctl.h."""
_CAPABILITIES = 64
_NO_NEW_PRIVILEGES = 38
"""PR_SET_NO_NEW_PRIVS of linux/prctl.h: programs like sudo have no power any more."""
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_SCOPED = 0b11
"""LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL of linux/landlock.h."""
_DESCRIPTORS = 65_536
_SHARED_MEMORY = "/dev/shm"  # noqa: S108
_PATIENCE = 5.0


def main(arguments: list[str]) -> None:
    """Does what the options say and becomes the program; returns never."""
    split = arguments.index("--")
    options = dict(option.split("=", 1) for option in arguments[:split])
    program = arguments[split + 1 :]
    spared = (os.getppid(), os.getpid())
    if "keep" in options:
        _stay_beside(int(options["keep"]), options["home"])
    _give_up_rights(options, spared)
    os.execv(program[0], program)  # noqa: S606


def _give_up_rights(options: dict[str, str], spared: tuple[int, ...]) -> None:
    # What needs rights, files or libraries is prepared first, and put in force once they are gone.
    if "send" in options:
        _send_folder(int(options["send"]), options["folder"])
    os.closerange(3, _DESCRIPTORS)
    confined = "read" in options
    in_force = [_prepared_landlock(options), _scope] if confined else []
    in_force += [_prepared_filter(spared, confined=confined)] if "filter" in options else []
    for name, value in options.items():
        if name.startswith("rlimit_"):
            # The first process of bubblewrap belongs to the program, which could make it work.
            _limit(name.upper(), int(value), os.getppid() if "send" in options else None)
    if sys.platform == "linux" and "send" not in options:
        _prctl(_NO_NEW_PRIVILEGES, 1)
    if "powerless" in options:
        _drop_capabilities()
    if "user" in options:
        _become_user(int(options["user"]), options["home"])
    for put in in_force:
        put()


def _send_folder(channel: int, folder: str) -> None:
    """Hands the grader an open folder: it can look inside when the sandbox is long gone."""
    import _socket

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptor.to_bytes(4, sys.byteorder))
    _socket.socket(fileno=channel).sendmsg([b"."], [rights])


def _limit(name: str, value: int, parent: int | None) -> None:
    import resource

    kind = getattr(resource, name, None)
    if kind is None:
        return
    _, most = resource.getrlimit(kind)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    # The first signal tells of the limit; without a second above it, all one sees is a kill.
    hard = value + 1 if kind == resource.RLIMIT_CPU and value != most else value
    try:
        resource.setrlimit(kind, (value, hard))
        if parent is not None:
            resource.prlimit(parent, kind, (value, hard))
    except (OSError, ValueError):
        pass  # macOS knows some limits by name only


def _become_user(user: int, home: str) -> None:
    for folder, _, files in os.walk(home):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, user, user)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def _drop_capabilities() -> None:
    for capability in range(_CAPABILITIES):
        _prctl(_DROP_CAPABILITY, capability)


def _prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _prepared_landlock(options: dict[str, str]) -> Callable[[], None]:
    from landlock import FSAccess, Ruleset

    rules = Ruleset()
    look = FSAccess.READ_FILE | FSAccess.READ_DIR | FSAccess.EXECUTE
    kinds = {"list": FSAccess.READ_DIR, "read": look, "write": FSAccess.all()}
    for paths, allowed in ((options[kind], allowed) for kind, allowed in kinds.items()):
        for path in filter(os.path.exists, paths.split(os.pathsep)):
            of_its_kind = allowed if os.path.isdir(path) else allowed & FSAccess.all_file()
            rules.allow(path, rules=of_its_kind)
    put_in_force: Callable[[], None] = rules.apply
    return put_in_force


def _scope() -> None:
    """Signals and nameless sockets stay among the program's own processes, from Linux 6.12 on."""
    import ctypes

    libc = ctypes.CDLL(None)
    files_network_scoped = (ctypes.c_uint64 * 3)(0, 0, _SCOPED)
    rules = libc.syscall(_CREATE_RULESET, files_network_scoped, 24, 0)
    if rules >= 0:
        libc.syscall(_RESTRICT_SELF, rules, 0)
        os.close(rules)


def _prepared_filter(spared: tuple[int, ...], *, confined: bool) -> Callable[[], None]:
    _own_code()
    from grader.sandbox.seccomp import shared_filter

    put_in_force: Callable[[], None] = shared_filter(spared, confined=confined).load
    return put_in_force


# ---------------------------------------------------------------- staying beside the program


def _stay_beside(life: int, home: str) -> None:
    """Returns in a new process; this one waits for its end, or the grader's, and clears up."""
    import signal

    if sys.platform == "linux":
        _prctl(_SUBREAPER, 1)
    shared = frozenset(os.listdir(_SHARED_MEMORY) if os.path.isdir(_SHARED_MEMORY) else ())
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = os.fork()
    if not child:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        return
    status = _waited_for(child, life, wake)
    _sweep(child)
    if status is None:
        _remove(home, shared)
        os._exit(1)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _waited_for(child: int, life: int, wake: int) -> int | None:
    """The child's exit status; None when the grader has gone first."""
    import select

    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        ready, _, _ = select.select([life, wake], [], [])
        if life in ready:
            return None
        os.read(wake, 1024)


def _sweep(child: int) -> None:
    """Kills what is left of the program until nothing is."""
    import signal
    import time

    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        # With all of theirs: a program that keeps forking is else never caught up with.
        for kill, pid in ((os.killpg, child), *((os.kill, pid) for pid in _below(os.getpid()))):
            try:
                kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.002)
        except ChildProcessError:
            return


def _below(parent: int) -> Iterator[int]:
    """Children, their children, and so on, as far as this system tells."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as listed:
            children = [int(pid) for pid in listed.read().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from _below(child)


def _remove(home: str, shared: frozenset[str]) -> None:
    _own_code()
    from pathlib import Path

    from grader.sandbox.scratch import remove
    from grader.sandbox.shared_memory import clear

    clear(Path(home), shared)
    remove(Path(home))


def _own_code() -> None:
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(__file__))))


if __name__ == "__main__":
    main(sys.argv[1:])
