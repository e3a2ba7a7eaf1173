"""A unit of packaging/systemd as data, and what systemd would make of it: user, capabilities, system calls."""
from __future__ import annotations

import pathlib
import re
import subprocess

UNITS = pathlib.Path(__file__).parents[2] / "packaging/systemd"
# Load the filter named on the command line, then become the program after it.
UNDER_FILTER = """
import errno, os, seccomp, sys
allowed, command = open(sys.argv[1]).read().split(), sys.argv[2:]
rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
for name in allowed:
    try:
        rules.add_rule(seccomp.ALLOW, name)
    except RuntimeError:
        pass    # not of this architecture
rules.load()
os.execv(command[0], command)
"""


class Unit:
    """The settings of a unit file; of a key that stands more than once, all values."""

    def __init__(self, name: str) -> None:
        self.path = UNITS / f"{name}.service"
        self.all: dict[str, list[str]] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                self.all.setdefault(key, []).append(value)

    def get(self, key: str) -> str:
        """Variables are not set: systemd leaves them out, as words."""
        return re.sub(r"\$\w+ ", "", self.all.get(key, [""])[-1])

    def capabilities(self, key: str) -> str:
        """In setpriv's words."""
        return ",".join(["-all", *("+" + name.lower().removeprefix("cap_") for name in self.get(key).split())])

    def setpriv(self) -> list[str]:
        """The command that gives what follows it the unit's user, groups and capabilities."""
        groups = [self.get("Group"), *self.get("SupplementaryGroups").split()]
        return ["setpriv", f"--reuid={self.get('User')}", f"--regid={self.get('Group')}", f"--groups={','.join(groups)}",
                f"--inh-caps={self.capabilities('AmbientCapabilities')}", f"--ambient-caps={self.capabilities('AmbientCapabilities')}",
                f"--bounding-set={self.capabilities('CapabilityBoundingSet')}", "--no-new-privs"]

    def system_calls(self) -> set[str]:
        found: set[str] = set()
        for value in self.all.get("SystemCallFilter", []):
            names = {call for name in value.lstrip("~").split() for call in members(name)}
            found = found - names if value.startswith("~") else found | names
        # What systemd always allows, so that a filter cannot lock its own service out.
        return found | members("@default")


def members(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    out = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in out.splitlines()[1:]]
    return {call for line in lines if line and not line.startswith("#") for call in members(line)}
