#!/usr/bin/env python3
"""Sets up what Moonsketch needs and starts it.

    python3 run.py play     try the bot in a browser, in a simulated Discord: no token, no server
    python3 run.py run      run the bot on Discord
    python3 run.py test     run the tests; what follows is pytest's
    python3 run.py setup    only install what `test` needs

The first start makes a virtual environment in .venv and installs into it, the exact versions of constraints.txt; that
takes minutes, since torch is large. Later starts install only what has changed. More words are handed on: see
`python3 run.py run --help`. Needs nothing but Python 3.11 or newer.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an old Python must get this far, to be told
    sys.exit("Moonsketch needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info))

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")

Command = list[str | Path]

INSTALLS = {
    "play": ["--editable", ".[playground]"],
    "run": ["--editable", "."],
    "test": ["--editable", ".", "--group", "dev"],
}
COVERED_BY = {"play": ("play", "test"), "run": ("run", "play", "test"), "test": ("test",)}
SIDE_BY_SIDE = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder"]
"""In the order that tests/conftest.py gives them. A file's tests stay together, for they share what is made once (toy
models). Of whatever pytest is told twice the last counts: `run.py test -n 0` runs one after the other."""

STARTS = {
    "play": ["-m", "bot", "playground"],
    "run": ["-m", "bot", "run"],
    "test": ["-m", "pytest", *SIDE_BY_SIDE],
}

OLDEST_PIP = (25, 1)
"""The first that installs dependency groups."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_PACKAGES = ["chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"]


def main() -> None:
    command, *rest = sys.argv[1:] or ["help"]
    if command == "setup":
        prepare("test")
    elif command in STARTS:
        prepare(command)
        start([*STARTS[command], *rest])
    else:
        asked_for_help = command in ("help", "-h", "--help")
        print(__doc__)
        sys.exit(None if asked_for_help else f"There is no command {command!r}.")


def prepare(kind: str) -> None:
    fingerprint = current_fingerprint()
    if not any(read_stamp(each) == fingerprint for each in COVERED_BY[kind]):
        make_venv()
        install(kind)
        stamp(kind).write_text(fingerprint)
    if kind == "test":
        install_browser()


def current_fingerprint() -> str:
    """Changes when there may be something to install."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f"installed-for-{kind}"


def read_stamp(kind: str) -> str:
    # Without its Python (an upgrade of the system may take it away) the environment is worth nothing.
    return stamp(kind).read_text() if PYTHON.exists() and stamp(kind).exists() else ""


def make_venv() -> None:
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0
    ):
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python cannot make virtual environments: its venv module is missing.\n"
            "On Debian and Ubuntu it is a package of its own: sudo apt install python3-venv"
        )
    print(f"Making a virtual environment in {VENV} …", flush=True)
    must([sys.executable, "-m", "venv", "--clear", VENV], "The virtual environment could not be made")


def install(kind: str) -> None:
    print("Installing; the first time this takes some minutes …", flush=True)
    pip: Command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    pip += ["--constraint", "constraints.txt"]
    failed = "Installing failed; pip says above why. Once that is mended, the same command goes on from here"
    if pip_version() < OLDEST_PIP:
        must([*pip, "--upgrade", "pip"], failed)
    must([*pip, *INSTALLS[kind]], failed)


def pip_version() -> tuple[int, ...]:
    asked: Command = [PYTHON, "-c", "import pip; print(pip.__version__)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split(".")[:2])


def install_browser() -> None:
    """The playground's tests drive a browser. Where it cannot be installed from here, they say that they skip."""
    if any(shutil.which(browser) for browser in BROWSERS):
        return
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    print("Installing a browser for the tests …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for apt in (["update"], ["install", "--yes", "--no-install-recommends", *BROWSER_PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-qq", *apt], env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if done.returncode:
            print("That did not work; the tests that need one will say so.", flush=True)
            return


def must(command: Command, failed: str) -> None:
    code = subprocess.run(command, cwd=ROOT).returncode
    if code:
        print(f"{failed} (exit code {code}).", file=sys.stderr)
        sys.exit(code)


def start(arguments: list[str]) -> None:
    os.chdir(ROOT)
    command = [str(PYTHON), *arguments]
    if not WINDOWS:
        os.execv(command[0], command)  # signals and the exit code need nobody in between
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                continue  # the console told it as well; it ends when it is ready
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
