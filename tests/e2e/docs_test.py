"""Every command of docs/install.md and docs/operate.md, run in the order of the pages: on a folder that stands for the hosts (see
debian_root.py) with our packages, against the doubles of GitLab and of a runner.

What a folder cannot do has a dry equivalent here: apt-get is dpkg, systemctl starts what the installed unit says. A command that
this test does not know fails it, as does one that ends with an error.
"""
from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import unittest
import urllib.request

import debian_root
import packages_test
from bad_days_test import FAIL, WorldCase
from doubles.lab import Lab
from system import BIN, wait_for
from unit import Unit

REPOSITORY = pathlib.Path(__file__).parents[2]
HOST_NAME = "gitaiops.example.com"


class Block:
    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text

    def commands(self) -> list[str]:
        """One a line, without the comment behind it."""
        lines = [re.sub(r"\s+# .*$", "", line).strip() for line in self.text.splitlines()]
        return [line for line in lines if line and not line.startswith("#")]


def blocks(page: str) -> list[Block]:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    return [Block(kind, body) for kind, body in re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text)]


class Pages(unittest.TestCase):
    def test_every_block_says_what_it_is(self) -> None:
        for page in ("install.md", "operate.md"):
            self.assertGreater(len([b for b in blocks(page) if b.kind == "sh"]), 5)
            self.assertEqual({b.kind for b in blocks(page)} - {"sh", "toml"}, set(), page)


@unittest.skipIf(packages_test.missing(), packages_test.missing())
class Commands(WorldCase):
    def setUp(self) -> None:
        super().setUp()
        out = tempfile.TemporaryDirectory(prefix="gitaiops-packages-")
        self.addCleanup(out.cleanup)
        self.packages = pathlib.Path(out.name) / "new"
        subprocess.run([str(REPOSITORY / "packaging/build"), str(BIN.resolve()), str(self.packages)], check=True, capture_output=True)
        self.lab = Lab(self.base / "lab").__enter__()
        self.addCleanup(self.lab.close)
        self.root = debian_root.DebianRoot(self.base / "host", (self.base / "lab", self.packages))
        with open(self.root.path / "etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write(f"127.0.0.1 {HOST_NAME}\n")
        self.services: dict[str, subprocess.Popen] = {}
        self.addCleanup(lambda: [self.stop(name) for name in list(self.services)])
        self.environment: dict[str, str] = {}
        self.said = ""

    # What commands do here ------------------------------------------------------------------------------------------

    def do(self, command: str) -> None:
        for pattern, act in self.known():
            if re.fullmatch(pattern, command):
                with self.subTest(command=command):
                    act(command)
                return
        self.fail(f"docs_test.py does not know how to try: {command}")

    def known(self):
        return (
            (r"\./dev \w+", self.task_exists),
            (r"apt-get install \./gitaiops-(agent|controller)_\*\.deb", self.install_package),
            (r"systemctl (enable --now|start) \S+", lambda c: self.start(c.split()[-1])),
            (r"systemctl stop \S+", lambda c: self.stop(c.split()[-1])),
            (r"systemctl reload \S+", lambda c: self.reload(c.split()[-1])),
            (r"journalctl( -u \S+)+", lambda c: [Unit(name) for name in re.findall(r"-u (\S+)", c)]),
            (r"install .* /dev/stdin /etc/gitaiops/gitlab\.token", lambda c: self.inside(c, text=self.lab.bot_token)),
            (r"install .* /dev/stdin /run/enroll\.token", lambda c: self.inside(c, text=self.enrolment)),
            (r"install -d .*|rm /run/enroll\.token", self.inside),
            (r"TOKEN=\$\((.*)\)", self.keep_token),
            (r"curl --fail .*", self.curl),
            (r"gitaiops-controller token create --ttl 1h --uses 1", self.make_enrolment),
            (r"gitaiops-controller agents revoke \"\$AGENT\"", self.revoke),
            (r"gitaiops-controller token revoke \"\$ID\"", self.revoke_token),
            (r"gitaiops-controller ca rotate", self.rotate),
            (r"gitaiops-controller ca rotate --at-once", lambda c: self.assertIn("step 2 of 3", self.inside(c))),
            (r"gitaiops-controller restore .*", lambda c: self.assertIn("the backup holds the certificate authority's key", self.inside(c))),
            (r"gitaiops-controller advisories refresh", self.refresh_advisories),
            (r"gitaiops-(agent|controller) .*", self.inside),
        )

    def inside(self, command: str, text: str = "", status: int = 0) -> str:
        self.said = self.root.run("sh", "-c", command, text=text, env=self.environment, status=status)
        return self.said

    def refresh_advisories(self, command: str) -> None:
        """With a folder in place of the page's sources, from here on: nothing here reaches the network."""
        own = self.root.path / "etc/gitaiops/own-advisories"
        own.mkdir(mode=0o755)
        (own / "one.json").write_text('{"id": "T-1", "modified": "2026-01-02T03:04:05Z", "affected": [{"package": {"ecosystem": "npm", '
                                      '"name": "qs"}, "versions": ["1.0.0"]}]}', encoding="ascii")
        config = self.root.path / "etc/gitaiops/controller.toml"
        told = re.sub(r"(?ms)^sources = \[.*?\]", 'sources = ["/etc/gitaiops/own-advisories"]', config.read_text(encoding="utf-8"))
        config.write_text(told, encoding="utf-8")
        self.assertIn("1 records", self.inside(command + " 2>&1"))

    def task_exists(self, command: str) -> None:
        tasks = subprocess.run([str(REPOSITORY / "dev"), "help"], capture_output=True, text=True).stdout
        self.assertRegex(tasks, rf"(?m)^ *\.\/dev {command.split()[1]}\b")

    def install_package(self, command: str) -> None:
        name = re.search(r"\./(\S+)_", command).group(1)
        (file,) = self.packages.glob(f"{name}_*.deb")
        self.root.run("dpkg", "-i", str(file))

    def unit(self, name: str) -> Unit:
        unit = Unit(name)
        shipped = self.root.path / f"lib/systemd/system/{name}.service"
        self.assertEqual(shipped.read_text(encoding="utf-8"), unit.path.read_text(encoding="utf-8"))
        return unit

    def as_service(self, unit: Unit, line: str) -> list[str]:
        words = [word for word in unit.setpriv() if word not in ("--inh-caps=-all", "--ambient-caps=-all")]
        return self.root.command(*words, *shlex.split(line))

    def start(self, name: str) -> None:
        unit = self.unit(name)
        state = self.root.path / "var/lib" / unit.get("StateDirectory")
        if not state.exists():
            state.mkdir(mode=0o700)
            self.root.run("chown", f"{unit.get('User')}:{unit.get('Group')}", f"/var/lib/{state.name}")
        with open(self.base / f"{name}.log", "ab") as log:
            checked = subprocess.run(self.as_service(unit, unit.get("ExecStartPre")), stdout=log, stderr=log)
            self.assertEqual(checked.returncode, 0, self.log(name))
            self.services[name] = subprocess.Popen(self.as_service(unit, unit.get("ExecStart")), stdout=log, stderr=log)
        if name == "gitaiops-controller":
            wait_for("the controller answers", lambda: self.page("http://127.0.0.1:7460/health") is not None)
            if "gitaiops-agent" not in self.services:
                return
        self.connected()

    def stop(self, name: str) -> None:
        process = self.services.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    def reload(self, name: str) -> None:
        unit, seen = self.unit(name), self.log(name).count("configuration reloaded")
        self.assertEqual(subprocess.run(self.as_service(unit, unit.all["ExecReload"][0]), capture_output=True).returncode, 0)
        self.services[name].send_signal(signal.SIGHUP)
        wait_for(f"{name} reloads", lambda: self.log(name).count("configuration reloaded") > seen)

    def make_enrolment(self, command: str) -> None:
        self.enrolment = self.inside(command).strip()

    def keep_token(self, command: str) -> None:
        self.environment["TOKEN"] = self.inside(re.fullmatch(r"TOKEN=\$\((.*)\)", command).group(1)).strip()

    def curl(self, command: str) -> None:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env={**os.environ, **self.environment, "no_proxy": "*"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said = done.stdout

    def agent_id(self) -> str:
        rows = self.root.run("gitaiops-controller", "agents", "list").splitlines()[1:]
        return next(row.split()[0] for row in rows if "revoked" not in row)

    def revoke(self, command: str) -> None:
        self.environment["AGENT"] = self.agent_id()
        self.inside(command)
        wait_for("the agent is shut out", lambda: self.status().get("link_state") == "refused", 60)
        # "To let the host in again, enrol it with a new token."
        token = self.root.run("gitaiops-controller", "token", "create").strip()
        self.stop("gitaiops-agent")
        self.root.run("gitaiops-agent", "enroll", "--controller", f"{HOST_NAME}:7462", "--token", token)
        self.start("gitaiops-agent")

    def revoke_token(self, command: str) -> None:
        self.environment["ID"] = next(line.split()[0] for line in self.said.splitlines() if " left" in line)
        self.inside(command)

    def rotate(self, command: str) -> None:
        """The first of the three; the others come at once here, which is too early."""
        if "step 1 of 3" in self.said or "too early" in self.said:
            self.assertIn("too early: until", self.inside(command, status=1))
        else:
            self.assertIn("step 1 of 3", self.inside(command))

    # Looking ----------------------------------------------------------------------------------------------------------

    def page(self, url: str):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            return None

    def status(self) -> dict:
        return json.loads(self.page("http://127.0.0.1:9417/status.json") or b"{}")

    def connected(self) -> None:
        wait_for(lambda: f"the agent is connected; it runs: {self.services['gitaiops-agent'].poll() is None}, its page: {self.status()}\n"
                 + self.log("gitaiops-agent")[-3000:], lambda: self.status().get("link_state") == "connected", 60)

    def log(self, name: str) -> str:
        return (self.base / f"{name}.log").read_text(encoding="utf-8")

    def configure(self, text: str) -> None:
        """A TOML block of the page, with the doubles' places in it."""
        text = text.replace("https://gitlab.example.com", self.lab.url)
        if "[controller]" in text:
            text += f'\n[runner]\nlog = "file"\nlog_file = "{self.lab.runner_log}"\nusage_log_dir = "{self.lab.usage_log_dir}"\n'
        (self.root.path / f"etc/gitaiops/{'agent' if '[controller]' in text else 'controller'}.toml").write_text(text, encoding="utf-8")

    def add(self, text: str) -> None:
        """A table more for the controller, taken up at its next reload."""
        with open(self.root.path / "etc/gitaiops/controller.toml", "a", encoding="utf-8") as file:
            file.write("\n" + text)
        self.inside("gitaiops-controller check-config")

    def test_from_the_first_token_to_the_first_note_and_through_the_years(self) -> None:
        for block in blocks("install.md"):
            if block.kind == "toml":
                self.configure(block.text)
            else:
                for command in block.commands():
                    self.do(command)
        project = self.lab.project("group/demo", files={"a": "a"})
        self.lab.commit(project, "feature", {"b": "b"})
        request = self.lab.merge_request(project, "feature")
        self.lab.wait(self.lab.pipeline(project, [FAIL], merge_request=request))
        wait_for(lambda: "the first note\n" + self.log("gitaiops-controller") + self.log("gitaiops-agent"), lambda: any("x.c:7:1: error: boom" in note["body"] for note in self.lab.notes(request)), 60)

        for block in blocks("operate.md"):
            if block.kind == "toml":
                self.add(block.text)
            else:
                for command in block.commands():
                    self.do(command)


if __name__ == "__main__":
    unittest.main()
