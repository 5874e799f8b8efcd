"""The launcher, with a small checkout and a stand-in for uv that writes down what it was asked.

The stand-in keeps these tests off the network; the real installers run once in every CI run.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "tally"
MAIN = """
import os, sys
if __name__ == "__main__":
    print("ran", *sys.argv[1:], os.environ["TALLY_HOME"])
    sys.exit(3 if "fail" in sys.argv else 0)
"""
UV = """#!/bin/sh
printf '%s\\n' "$*" >>"$UV_LOG"
sleep "${UV_SECONDS:-0}"
exit "${UV_STATUS:-0}"
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    root: Path
    environment: dict[str, str]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.root / "tally", *arguments],
            env=self.environment | environment,
            cwd=self.root.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def installs(self) -> list[str]:
        log = Path(self.environment["UV_LOG"])
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    package = root / "src/tallystick/faces/cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text(MAIN)
    shutil.copy(LAUNCHER, root / "tally")
    (root / "requirements.lock").write_text("one\n")
    (root / "requirements-dev.lock").write_text("two\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").write_text(UV)
    (programs / "uv").chmod(0o755)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "PYTHON": sys.executable,
        "UV_LOG": str(tmp_path / "uv.log"),
    }
    return Checkout(root, environment)


def test_the_first_command_makes_the_environment_and_later_ones_only_run(checkout):
    first = checkout.run("pool", "base")
    second = checkout.run("pool", "base")

    assert first.stdout == second.stdout == f"ran pool base {checkout.root / 'var'}\n"
    assert "making the Python environment" in first.stderr
    assert second.stderr == ""
    (install,) = checkout.installs()
    assert "--require-hashes --only-binary :all:" in install
    assert install.endswith("requirements.lock")


def test_the_exit_status_is_the_commands(checkout):
    assert checkout.run("fail").returncode == 3


def test_a_changed_lock_makes_the_environment_anew(checkout):
    checkout.run()
    (checkout.root / ".venv/stale").touch()
    (checkout.root / "requirements.lock").write_text("one and a half\n")

    checkout.run()

    assert len(checkout.installs()) == 2
    assert not (checkout.root / ".venv/stale").exists()


def test_the_tools_that_check_the_code_are_installed_for_the_test_command_only(checkout):
    checkout.run("verify")
    before = checkout.installs()
    checkout.run("test")
    checkout.run("test")

    assert [line.rpartition("/")[2] for line in before] == ["requirements.lock"]
    assert [line.rpartition("/")[2] for line in checkout.installs()] == [
        "requirements.lock",
        "requirements-dev.lock",
    ]


def test_a_folder_of_wheels_replaces_the_network(checkout):
    (checkout.root / "wheels").mkdir()

    checkout.run()

    (install,) = checkout.installs()
    assert install.endswith(f"--no-index --find-links {checkout.root / 'wheels'}")


def test_a_failed_install_leaves_no_half_made_environment_and_no_lock(checkout):
    (checkout.root / "requirements.lock").write_text("a-line-without-a-hash\n")

    failed = checkout.run(UV_STATUS="1", PIP_NO_INDEX="1")

    assert failed.returncode != 0
    assert failed.stdout == ""
    assert not (checkout.root / ".venv").exists()
    assert not (checkout.root / ".venv.lock").exists()


def test_of_two_first_commands_one_installs_and_the_other_waits(checkout):
    both = [checkout.start("one", UV_SECONDS="1"), checkout.start("two", UV_SECONDS="1")]
    outputs = [process.communicate(timeout=60) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert [out.split()[1] for out, _ in outputs] == ["one", "two"]
    assert len(checkout.installs()) == 1
    assert "waiting for another tally" in outputs[0][1] + outputs[1][1]


def test_an_interrupted_first_command_cleans_up_behind_itself(checkout):
    process = checkout.start(UV_SECONDS="1")
    while not checkout.installs():
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=60)

    assert process.returncode == 143
    assert not (checkout.root / ".venv").exists()
    assert not (checkout.root / ".venv.lock").exists()


def test_the_lock_of_a_killed_command_is_cleared_away(checkout):
    dead = subprocess.Popen(["true"])
    dead.wait()
    (checkout.root / ".venv.lock").mkdir()
    (checkout.root / ".venv.lock/pid").write_text(f"{dead.pid}\n")

    assert checkout.run().returncode == 0
    assert not (checkout.root / ".venv.lock").exists()


def test_a_python_outside_the_range_is_refused_in_one_sentence(checkout, tmp_path):
    old = tmp_path / "programs/python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    refused = checkout.run(PYTHON=str(old))

    assert refused.returncode == 78
    assert refused.stderr == f"tally: PYTHON={old} is not a Python from 3.11 up to 3.14.\n"


def test_a_python_without_venv_is_refused_with_the_remedy(checkout, tmp_path):
    bare = tmp_path / "programs/python-bare"
    bare.write_text(
        '#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\nexec ' + f'"{sys.executable}" "$@"\n'
    )
    bare.chmod(0o755)

    refused = checkout.run(PYTHON=str(bare))

    assert refused.returncode == 78
    assert "apt install python3-venv" in refused.stderr
    assert not (checkout.root / ".venv").exists()


def test_the_environment_of_a_read_only_checkout_lies_elsewhere(checkout, tmp_path):
    checkout.run(TALLY_VENV=str(tmp_path / "else/where"), TALLY_HOME=str(tmp_path))

    assert (tmp_path / "else/where/bin/python").exists()
    assert not (checkout.root / ".venv").exists()


def test_a_file_in_the_current_folder_is_never_taken_for_a_module(checkout, tmp_path):
    (tmp_path / "tallystick").mkdir()
    (tmp_path / "tallystick/__init__.py").write_text("raise SystemExit('shadowed')")

    assert checkout.run("fine").stdout.startswith("ran fine")


def test_the_launcher_works_through_a_link(checkout, tmp_path):
    (tmp_path / "tally").symlink_to(checkout.root / "tally")

    linked = subprocess.run(
        [tmp_path / "tally", "linked"],
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert linked.stdout == f"ran linked {checkout.root / 'var'}\n"


def test_the_launcher_is_plain_posix_shell():
    shell = shutil.which("dash") or "/bin/sh"

    subprocess.run([shell, "-n", LAUNCHER], check=True)
    assert os.access(LAUNCHER, os.X_OK)
