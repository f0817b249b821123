"""Traces who holds a SQLite database and who waits for it, and speeds waiting up.

Python imports this by its name before a script starts, in each of its processes, when this folder
is on PYTHONPATH. `GRADER_TRACE` names the folder that each process adds its own file to, and
`GRADER_SPEED` how many times faster than it says a script sleeps and waits for a lock. Without a
folder to write to, nothing is done.

A line of a trace is `seconds, what, process, text, statement` with tabs between: seconds of
`time.monotonic`, which counts alike in every process, and of the record that is written the first
text among its parameters. The first line of a process is `start` with its number and its parent's.
`free` tells that the lock that was asked for or held is so no more, though nothing was committed.

Every process of a script starts with this: it imports only what Python has loaded by then.
"""

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Function: TypeAlias = Callable[..., Any]
    After: TypeAlias = Callable[[BaseException | None], None] | None
    Before: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Sequence[Any], After]]

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_MOST_LINES = 5_000  # of one process: a script that inserts without end is not slowed for ever
_LONGEST = 200
_QUICK = 0.05  # seconds; a commit that takes longer has waited for somebody who reads
_PATIENCE = 5.0  # seconds that sqlite3 waits for a lock if it is not told otherwise
_EXECUTE = ("execute", "executemany", "executescript")
_ENDS = ("commit", "rollback", "__exit__", "close")
_WRITES = ("INSERT", "REPLACE", "UPDATE", "DELETE")
_TAKES = (["BEGIN", "IMMEDIATE"], ["BEGIN", "EXCLUSIVE"])
_now = time.monotonic


def _safely(function: "Function | None", *args: object) -> "Any":
    """What the function returns, or None: no fault in here may reach the script."""
    try:
        return function(*args) if function else None
    except Exception:
        return None


def _wrapped(original: "Function", before: "Before", does: "Function | None" = None) -> "Function":
    """A function that does as the original does and looks like it, also in tracebacks.

    `before` gets its arguments and returns those to go on with, and what to do at the end.
    `does` is called with them if that is not the original itself.
    """

    def wrapper(*args: "Any", **kwargs: "Any") -> "Any":
        ready = _safely(before, args, kwargs)
        function, (given, after) = (does or original, ready) if ready else (original, (args, None))
        try:
            result = function(*given, **kwargs)
        except BaseException as error:
            _safely(after, error)
            # Takes this line out of the traceback, but for Python 3.10.
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        _safely(after, None)
        return result

    name, module = original.__name__, getattr(original, "__module__", "sqlite3")
    wrapper.__code__ = wrapper.__code__.replace(co_filename=f"<{module}>", co_name=name)
    wrapper.__name__, wrapper.__module__ = name, module
    wrapper.__qualname__, wrapper.__doc__ = original.__qualname__, original.__doc__
    return wrapper


class _Trace:
    """The file of this process."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.start()

    def start(self) -> None:
        """Begins a process's file: its first line is written with the next."""
        number, self._left = str(os.getpid()), _MOST_LINES
        self._path = f"{self._folder}/{number}.trace"
        self._first = _line(_now(), "start", number, str(os.getppid()))

    def tell(self, moment: float, what: str, *record: str) -> None:
        """Adds a line, if there is room for one."""
        if self._left > 0:
            self._left -= 1
            self.write(_line(moment, what, _safely(_process_name) or "MainProcess", *record))

    def write(self, line: bytes) -> bool:
        """Adds to the file, opened anew: a script may close those it does not know."""
        try:
            file = os.open(self._path, _FLAGS, 0o644)
            try:
                os.write(file, self._first + line)
            finally:
                os.close(file)
        except OSError:
            return False
        self._first = b""
        return True


def _line(moment: float, *fields: str) -> bytes:
    parts = [" ".join(field[: 2 * _LONGEST].split())[:_LONGEST] for field in fields]
    return ("\t".join([f"{moment:.6f}", *parts]) + "\n").encode("utf-8", "replace")


def _process_name() -> str:
    return str(sys.modules["multiprocessing.process"].current_process().name)


def _words(statement: str) -> list[str]:
    """The first words in capitals; comments before them are left out."""
    rest = statement.lstrip()
    while rest.startswith(("--", "/*")):
        rest = rest.partition("\n" if rest.startswith("--") else "*/")[2].lstrip()
    return rest[:2000].upper().replace("(", " ").replace(";", " ").split()


def _takes_lock(statement: str) -> bool:
    return _writes(statement) or _words(statement)[:2] in _TAKES


def _writes(statement: str) -> bool:
    first, *rest = _words(statement) or [""]
    return first in _WRITES or (first == "WITH" and any(word in rest for word in _WRITES))


def _text(parameters: "Any") -> str:
    """The first text among the parameters, of many records those of the first."""
    records = parameters if isinstance(parameters, (list, tuple)) else (parameters,)
    record = next((r for r in records[:1] if isinstance(r, (list, tuple, dict))), records)
    values = record.values() if isinstance(record, dict) else record
    return next((value for value in values if isinstance(value, str)), "")


class _Hold:
    """What a connection has of the lock."""

    def __init__(self) -> None:
        self.locks = False
        self.record: Sequence[str] = ()  # the text and the statement it took the lock for
        self.within = False  # a call: what that calls in turn is part of it


class _Call:
    """A call that may take the lock or let go of it."""

    def __init__(self, tracer: "_Tracer", name: str, owner: "Any", args: "Sequence[Any]") -> None:
        self._tracer, self._tell, self._name = tracer, tracer.trace.tell, name
        self._connection = owner if hasattr(owner, "_grader_hold") else owner.connection
        self._hold: _Hold = self._connection._grader_hold
        statement: str = args[0] if name in _EXECUTE else ""
        parts = statement.split(";") if name == "executescript" else [statement]
        self._asks = not self._hold.locks and any(map(_takes_lock, parts))
        self._undoes = name in ("rollback", "close") or _words(statement)[:1] == ["ROLLBACK"]
        self._undoes |= name == "__exit__" and args[0] is not None
        if not self._hold.record:
            text = _text(args[1] if args[1:] else ())
            self._hold.record = next(((text, part) for part in parts if _writes(part)), ())

    def begin(self) -> "After":
        """Tells that the lock is asked for; nothing if this is part of another call."""
        if self._hold.within:
            return None
        self._hold.within = True
        self._began = _now()
        if self._asks:
            self._tell(self._began, "wait", *self._hold.record)
        return self._end

    def _end(self, error: "BaseException | None") -> None:
        """Tells what came of it."""
        hold, now = self._hold, _now()
        hold.within = False
        if error is None and self._asks:
            hold.locks = True
            self._tell(now, "hold", *hold.record)
        elif error and (self._asks or hold.locks) and self._tracer.is_lock_error(error):
            self._tell(now, "locked", *hold.record)
        elif error and self._asks:
            self._tell(now, "free", *hold.record)
        if hold.locks and self._is_over():
            hold.locks = False
            # The lock is free a little before we know: another may have told that it holds it.
            moment = now if self._asks else max(self._began, now - _QUICK)
            what = "free" if error or self._undoes else "commit"
            self._tell(moment, what, *hold.record)
        if not hold.locks:
            hold.record = ()

    def _is_over(self) -> bool:
        # With `autocommit=False` (Python 3.12) the next transaction begins at once.
        again = _safely(getattr, self._connection, "autocommit", None) is False
        inside = _safely(self._tracer.in_transaction, self._connection)
        return not inside or (again and self._name in _ENDS)


class _Tracer:
    """Puts classes that trace into the place of sqlite3's own, when a script first imports it."""

    def __init__(self, trace: _Trace, speed: float) -> None:
        self.trace = trace
        self._speed = speed

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Is asked by Python for every module, and finds none."""
        if name == "sqlite3":
            sys.meta_path.remove(self)
            _safely(self._replace)

    def is_lock_error(self, error: BaseException) -> bool:
        """Whether another has the lock."""
        text = str(error).lower()
        return isinstance(error, self._lock_error) and ("locked" in text or "busy" in text)

    def _replace(self) -> None:
        import _sqlite3

        module: Any = _sqlite3
        plain, plain_cursor = module.Connection, module.Cursor
        self._lock_error = module.OperationalError
        self.in_transaction = plain.in_transaction.__get__
        traced = {name: self._traced(getattr(plain_cursor, name)) for name in _EXECUTE}
        cursor = _derived(plain_cursor, traced)
        traced = {name: self._traced(getattr(plain, name)) for name in (*_EXECUTE, *_ENDS)}
        if sys.version_info >= (3, 11):
            # There a connection makes its cursor within, and of the class that is replaced.
            for name in _EXECUTE:
                function, does = getattr(plain, name), getattr(plain_cursor, name)
                traced[name] = self._traced(function, lambda own: plain.cursor(own, cursor), does)
        traced["__init__"] = _wrapped(plain.__init__, self._connecting)
        traced["cursor"] = _wrapped(plain.cursor, _by_default(cursor, 1))
        module.Cursor, module.Connection = cursor, _derived(plain, traced, "_grader_hold")
        module.connect = _wrapped(module.connect, _by_default(module.Connection, 5))

    def _traced(self, original: "Function", *instead: "Function") -> "Function":
        owner_of, does = instead or (lambda owner: owner, original)

        def before(args: "tuple[Any, ...]", _: object) -> "tuple[Sequence[Any], After]":
            owner, *rest = args
            call = _Call(self, original.__name__, owner, rest)
            return (owner_of(owner), *rest), call.begin()

        return _wrapped(original, before, does)

    def _connecting(self, args: "tuple[Any, ...]", kwargs: "dict[str, Any]") -> "Any":
        args[0]._grader_hold = _Hold()
        if len(args) > 2:
            return (*args[:2], *_faster(args[2:3], self._speed), *args[3:]), None
        if self._speed > 1:
            (kwargs["timeout"],) = _faster((kwargs.get("timeout", _PATIENCE),), self._speed)
        return args, None


def _derived(base: "Any", methods: "dict[str, Function]", *slots: str) -> type:
    own = {"__module__": base.__module__, "__doc__": base.__doc__, "__slots__": slots}
    return type(base.__name__, (base,), {**own, **methods})


def _by_default(factory: type, place: int) -> "Before":
    """Gives our class as the argument `factory`, unless the script gives its own."""

    def before(args: "tuple[Any, ...]", kwargs: "dict[str, Any]") -> "Any":
        if len(args) <= place:
            kwargs.setdefault("factory", factory)
        return args, None

    return before


def _faster(times: "Sequence[Any]", speed: float) -> "tuple[Any, ...]":
    """Spans of time, shorter; what is no number stays, for Python to complain of."""
    return tuple(t / speed if speed > 1 and isinstance(t, (int, float)) else t for t in times)


def _set_up(folder: str) -> None:
    trace = _Trace(folder)
    if not trace.write(b""):
        return
    speed: float = _safely(float, os.environ.get("GRADER_SPEED")) or 1
    if speed > 1:
        time.sleep = _wrapped(time.sleep, lambda args, _: (_faster(args, speed), None))
    sys.meta_path.insert(0, _Tracer(trace, speed))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _safely(trace.start))
    atexit.register(_safely, lambda: trace.tell(_now(), "end"))
    # Every import of the script's would look here in vain.
    _safely(sys.path.remove, os.path.dirname(__file__))  # noqa: PTH120


if "GRADER_TRACE" in os.environ:
    _safely(_set_up, os.environ["GRADER_TRACE"])
