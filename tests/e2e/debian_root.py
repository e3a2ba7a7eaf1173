"""A throwaway Debian root folder: enough of this host's packages, copied, that dpkg and maintainer scripts run in it as on a host.

    root = DebianRoot(folder)
    root.run("dpkg", "-i", "/packages/x.deb")       # chrooted, in a mount namespace of its own

Libraries are this host's, bound read-only. There is no systemd running in it, as in an image build or a container. Needs root.
"""
from __future__ import annotations

import os
import pathlib
import shlex
import shutil
import subprocess

LIBRARIES = "usr/lib/x86_64-linux-gnu"
# Beside what Debian calls essential.
MORE_PACKAGES = ("systemd", "passwd", "mawk", "libc-bin", "ca-certificates")


def missing() -> str:
    """Why it cannot be made here; "" when it can."""
    if os.geteuid() != 0:
        return "needs root: to install packages into a folder"
    for program in ("dpkg-query", "unshare", "chroot", "setpriv"):
        if not shutil.which(program):
            return f"needs {program}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        return "needs the right to make mount namespaces"
    if not pathlib.Path("/", LIBRARIES).is_dir():
        return f"needs a Debian host with /{LIBRARIES}"
    return ""


class DebianRoot:
    def __init__(self, folder: pathlib.Path, shared: tuple[pathlib.Path, ...] = ()) -> None:
        """`shared` are folders that are seen inside under the same path, writable."""
        self.path = folder
        self._shared = shared
        for name in ("bin", "sbin", "lib", "lib64"):
            (folder / "usr" / name).mkdir(parents=True)
            (folder / name).symlink_to(f"usr/{name}")
        for name in (LIBRARIES, "proc", "dev", "tmp", "etc", "run", "var/lib", "var/log", *(str(p).lstrip("/") for p in shared)):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._copy_packages()
        # What is installed, by dpkg's book: the dependencies of ours are bound or copied.
        shutil.copytree("/var/lib/dpkg", folder / "var/lib/dpkg", symlinks=True, ignore=shutil.ignore_patterns("*-old", "lock*", "*.md5sums", "*.symbols"))
        for name in ("passwd", "group", "shadow", "gshadow", "nsswitch.conf", "ld.so.cache", "hosts"):
            if pathlib.Path("/etc", name).exists():
                shutil.copy(f"/etc/{name}", folder / "etc" / name)

    def _copy_packages(self) -> None:
        table = subprocess.run(["dpkg-query", "-W", "-f", "${Essential} ${Package}\n"], capture_output=True, text=True, check=True).stdout
        names = [line.split()[1] for line in table.splitlines() if line.startswith("yes ")]
        listed = subprocess.run(["dpkg-query", "-L", *names, *MORE_PACKAGES], capture_output=True, text=True).stdout.splitlines()
        wanted = {os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path) for path in listed if path.startswith("/")}
        files = sorted(path for path in wanted if not path.startswith((f"/{LIBRARIES}/", "/usr/share/doc/", "/usr/share/locale/", "/usr/share/man/"))
                       and (os.path.islink(path) or os.path.isfile(path)))
        lib64 = [str(path) for path in pathlib.Path("/usr/lib64").glob("*")]
        alternatives = [str(path) for path in pathlib.Path("/etc/alternatives").glob("awk*")] + ["/usr/bin/awk"]
        pack = subprocess.Popen(["tar", "-C", "/", "--no-recursion", "-cf", "-", "--null", "-T", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        unpack = subprocess.Popen(["tar", "-C", str(self.path), "--keep-directory-symlink", "-xf", "-"], stdin=pack.stdout)
        pack.stdin.write("\0".join(path.lstrip("/") for path in [*files, *lib64, *alternatives]).encode())
        pack.stdin.close()
        pack.stdout.close()
        pack.wait()
        if unpack.wait() != 0:
            raise RuntimeError("the root folder could not be filled")

    def command(self, *words: str) -> list[str]:
        """For subprocess: runs the words inside; exec all the way, so its pid is the program's."""
        root = shlex.quote(str(self.path))
        mounts = [f"mount --bind -o ro /{LIBRARIES} {root}/{LIBRARIES}", f"mount --rbind /proc {root}/proc", f"mount --rbind /dev {root}/dev"]
        mounts += [f"mount --bind {shlex.quote(str(path))} {root}{shlex.quote(str(path))}" for path in self._shared]
        return ["unshare", "--mount", "sh", "-ec", "; ".join([*mounts, f'exec chroot {root} "$@"']), "sh", *words]

    def run(self, *words: str, status: int = 0, env: dict[str, str] | None = None, text: str = "") -> str:
        """Output and errors together, given the text as input; an assertion when it ends otherwise."""
        done = subprocess.run(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, input=text, text=True, timeout=120,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", **(env or {})})
        if done.returncode != status:
            raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}")
        return done.stdout
