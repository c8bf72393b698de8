"""What the comparisons share: their virtual environments, and our side as a built example."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]


def enter_environment(name):
    """Runs the script again inside the virtual environment of requirements-NAME.txt, which is made once."""
    requirements = HERE / f"requirements-{name}.txt"
    folder = ROOT / "target" / "peers" / f"venv-{name}"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "requirements.done"
    wanted = requirements.read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"making the environment {folder} (once)", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
        subprocess.run(pip, check=True)
        done.write_text(wanted)
    sys.exit(subprocess.run([python, *sys.argv]).returncode)


def build(example):
    """The program of an example; the variable EXAMPLE_EXAMPLE (in capitals) names one that is built already."""
    named = os.environ.get(f"{example.upper()}_EXAMPLE")
    if named:
        return Path(named)
    cargo = os.environ.get("CARGO", "cargo")
    package = ["-p", "superalign-inference", "--example", example]
    subprocess.run([cargo, "build", "--quiet", "--release", *package], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "examples" / example
