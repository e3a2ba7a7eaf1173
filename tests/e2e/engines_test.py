"""Jobs in containers of real engines: docker, podman and containerd as Debian has them, each with folders and groups of its own.

What containers_test.py shows with a double is shown here with what writes the state files in the field. Needs root; each engine is
skipped where it is not installed or does not run.
"""
from __future__ import annotations

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import unittest

from doubles.lab import PYTHON, Lab
from system import SharedCase, System, wait_for

DOUBLES = pathlib.Path(__file__).resolve().parents[1] / "doubles"
GROUPS = pathlib.Path("/sys/fs/cgroup")
SECRET = "swordfish-of-a-real-engine-2741"
BURN = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\n"
BURN_FOR = "exec python3 -c '" + BURN.replace("sys.argv[1]", "{}") + "'"
MOUNTED = ("/usr", "/etc")     # the image has no more than folders and links


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(content), 0o755
            tar.addfile(file, io.BytesIO(content))
    return packed.getvalue()


def empty_image() -> bytes:
    """A root folder as a tar archive: whatever is in it comes from the host."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "var"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        for name in ("bin", "sbin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "usr/" + name
            tar.addfile(link)
    return packed.getvalue()


class Group:
    """The group above all containers of an engine: it still has the counts of those that are gone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cpu_s(self) -> float:
        """Without what podman's own monitors used, whose group is in here, too."""
        monitors = [self._cpu_s(place) for place in self._top().glob("*conmon*/")]
        return self._cpu_s(self._top()) - sum(monitors)

    def _top(self) -> pathlib.Path:
        return GROUPS / self.name if (GROUPS / "cgroup.controllers").exists() else GROUPS / "cpuacct" / self.name

    @staticmethod
    def _cpu_s(group: pathlib.Path) -> float:
        if (group / "cpuacct.usage").exists():
            return int((group / "cpuacct.usage").read_text()) / 1e9
        return int((group / "cpu.stat").read_text().split()[1]) / 1e6

    def remove(self) -> None:
        for folder in [GROUPS / self.name, *GROUPS.glob(f"*/{self.name}")]:
            for place in [*folder.glob("*/"), folder]:
                if place.is_dir():
                    wait_for("the group is empty", lambda place=place: remove(place))


def remove(folder: pathlib.Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


class EngineCase(SharedCase):
    engine = ""
    client: list[str] = []
    roots: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        if cls is EngineCase:
            raise unittest.SkipTest("what the engines have in common")
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        if not shutil.which(cls.engine):
            raise unittest.SkipTest(f"{cls.engine} is not installed")
        cls.make_folder()
        cls.group = Group(f"gitaiops-{cls.engine}-{os.getpid()}")
        cls.start_engine()
        imported = subprocess.run([*cls.client, "import", "-", "localhost/empty"], input=empty_image(), capture_output=True)
        if imported.returncode != 0:
            raise unittest.SkipTest(f"{cls.engine} does not run here: {imported.stderr.decode()[-300:]}")
        starts, described = cls.base / "lab" / "starts", cls.base / "engine.json"
        starts.mkdir(parents=True)
        volumes = [word for folder in MOUNTED for word in ("--volume", f"{folder}:{folder}:ro")]
        described.write_text(json.dumps({"client": cls.client, "image": "localhost/empty", "folder": str(starts), "options": [
            "--network", "host", "--cgroup-parent", "/" + cls.group.name, "--env", "HOME=/tmp", *volumes,
            "--volume", f"{cls.base / 'lab'}:{cls.base / 'lab'}"]}), encoding="utf-8")
        cls.addClassCleanup(cls.group.remove)
        cls.described = described
        cls.lab = Lab(cls.base / "lab", container_engine=str(described)).__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, observer_flags=cls.roots).__enter__()
        cls.addClassCleanup(cls.system.close)
        cls.count = 0

    @classmethod
    def start_engine(cls) -> None:
        raise NotImplementedError

    def job(self, script: list[str], files: dict | None = None, variables: dict | None = None) -> tuple[dict, float]:
        """The report of a finished job, and what the kernel counted for the engine's containers meanwhile, in seconds."""
        type(self).count += 1
        project = self.lab.project(f"grp/demo{self.count}", files={"burn.py": BURN, **(files or {})})
        before = self.group.cpu_s() if self.count > 1 else 0
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "job", "script": script, "variables": variables or {}}], ref="main"))
        report = wait_for(lambda: f"the report\n{self.system.story()}", lambda: self.system.job(done["jobs"][0]["id"]))
        return report, self.group.cpu_s() - before

    def error(self, report: dict, actual: float) -> float:
        error = abs(report["usage"].get("cpu_s", 0) - actual) / actual
        print(f"    {self.engine}: told {report['usage'].get('cpu_s', 0):.3f} s, counted {actual:.3f} s, error {error:.2%}", flush=True)
        return error

    def test_cpu_of_all_containers_is_counted(self) -> None:
        report, actual = self.job(["python3 burn.py 2"])
        self.assertEqual(report["outcome"], "passed")
        self.assertEqual(report["usage"]["methods"]["cpu_s"], "cgroup", self.system.story())
        self.assertLess(self.error(report, actual), 0.05)
        self.assertEqual({(part["kind"], part["engine"]) for part in report["usage"]["containers"]},
                         {("build", self.engine), ("helper", self.engine)})

    def test_containers_of_a_moment_are_no_harm(self) -> None:
        """A job whose containers end within milliseconds: the report comes, and says what is known."""
        report, actual = self.job(["true"])
        self.assertEqual(report["outcome"], "passed")
        self.assertIn("usage", report)
        self.error(report, actual)

    def test_a_kill_for_memory_is_counted_and_explains_the_failure(self) -> None:
        hungry = "import time\ntime.sleep(0.5)\ndata = bytearray(200 << 20)\ndata[::4096] = b'x' * len(data[::4096])\n"
        report, _ = self.job(["python3 hungry.py"], {"hungry.py": hungry}, {"LAB_MEMORY_LIMIT": str(64 << 20)})
        self.assertEqual(report["usage"]["oom_kills"], 1, self.system.story())
        self.assertEqual(report["diagnosis"]["category"], "oom_killed")
        build = next(part for part in report["usage"]["containers"] if part["kind"] == "build")
        self.assertEqual(build["memory_limit_bytes"], 64 << 20)

    def test_services_are_parts_of_the_job(self) -> None:
        report, actual = self.job(["sleep 2"], variables={"LAB_SERVICE": "while :; do :; done"})
        self.assertIn("service", {part["kind"] for part in report["usage"]["containers"]})
        self.assertLess(self.error(report, actual), 0.05)

    def test_the_environment_of_containers_stays_there(self) -> None:
        report, _ = self.job(["sleep 1", "exit 1"], variables={"DEPLOY_KEY": SECRET})
        self.assertEqual(report["usage"]["methods"]["cpu_s"], "cgroup", "the containers were read")
        self.assertNotIn(SECRET, json.dumps(report))
        files = [f for place in (self.system.agent_state, self.system.folder / "controller") for f in place.glob("*") if f.is_file()]
        self.assertNotIn(SECRET.encode(), b"".join(f.read_bytes() for f in files))

    def test_doctor_sees_them(self) -> None:
        made = subprocess.run([PYTHON, str(DOUBLES / "real_engine.py"), "--socket", str(self.described), "create"], check=True, text=True,
                              capture_output=True, input=json.dumps({"name": "db", "labels": {}, "env": []})).stdout.strip()
        self.addCleanup(subprocess.run, [*self.client, "rm", "--force", made], stdout=subprocess.DEVNULL)
        subprocess.run([PYTHON, str(DOUBLES / "real_engine.py"), "--socket", str(self.described), "start", made, "true"],
                       check=True, stdin=subprocess.DEVNULL)     # podman writes no state before
        said = self.system.run("gitaiops-observer", *self.roots, "--", str(self.system.bin / "gitaiops-agent"), "doctor",
                               "--config", str(self.system.agent_toml), check=False).stdout
        self.assertRegex(said, rf"ok    {self.engine}: \d+ containers? (is|are) seen")


class Docker(EngineCase):
    engine = "docker"

    @classmethod
    def start_engine(cls) -> None:
        root, socket = cls.base / "docker", f"unix://{cls.base}/docker.sock"
        if not shutil.which("dockerd"):
            raise unittest.SkipTest("dockerd is not installed")
        with open(cls.base / "dockerd.log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", "--data-root", str(root), "--exec-root", str(cls.base / "docker-run"), "--pidfile",
                                       str(cls.base / "docker.pid"), "--host", socket, "--storage-driver", "vfs", "--bridge", "none",
                                       "--iptables=false", "--ip6tables=false"], stdout=log, stderr=log)
        cls.addClassCleanup(subprocess.run, ["umount", str(cls.base / "docker-run/netns/default")], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(daemon.wait)
        cls.addClassCleanup(daemon.terminate)
        cls.client, cls.roots = ["docker", "--host", socket], ("--docker-root", str(root))
        wait_for("dockerd answers, or ends", lambda: daemon.poll() is not None or
                 subprocess.run([*cls.client, "version"], capture_output=True).returncode == 0)

    def test_two_jobs_at_once_have_their_own(self) -> None:
        project = self.lab.project("grp/pair", files={"burn.py": BURN})
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "small", "script": ["python3 burn.py 0.5; sleep 1"]},
                                                         {"name": "large", "script": ["python3 burn.py 2"]}], ref="main"))
        told = {job["name"]: wait_for("the report", lambda job=job: self.system.job(job["id"]))["usage"]["cpu_s"] for job in done["jobs"]}
        self.assertGreater(told["large"], 2)
        self.assertGreater(told["small"], 0.5)
        self.assertLess(told["small"], 1.5)


class Podman(EngineCase):
    engine = "podman"

    @classmethod
    def start_engine(cls) -> None:
        root, run = cls.base / "podman", cls.base / "podman-run"
        cls.client = ["podman", "--root", str(root), "--runroot", str(run), "--tmpdir", str(cls.base / "podman-tmp"), "--storage-driver",
                      "overlay", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]     # crun wants no hybrid groups
        cls.roots = ("--podman-root", str(root), "--podman-run-root", str(run))
        cls.addClassCleanup(lambda: subprocess.run([*cls.client, "rm", "--all", "--force"], stdout=subprocess.DEVNULL))


class Containerd(SharedCase):
    """Pods as a kubelet starts them, by containerd's own service for it; what the runner's manager announces comes from its double."""

    @classmethod
    def setUpClass(cls) -> None:
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        for program in ("containerd", "ctr", "protoc", "cc"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed")
        cls.make_folder()
        cls.group = Group(f"gitaiops-containerd-{os.getpid()}")
        cls.addClassCleanup(cls.group.remove)
        cls.cri = cls.load_cri()
        cls.start_engine()
        # The runner's own processes do no job's work, as in Kubernetes: an engine of which the observer is not told does it.
        socket = cls.base / "double.sock"
        double = subprocess.Popen([PYTHON, str(DOUBLES / "container_engine.py"), "--socket", str(socket), "--root",
                                   str(cls.base / "double"), "serve"])
        cls.addClassCleanup(double.wait)
        cls.addClassCleanup(double.terminate)
        wait_for("the double listens", socket.exists)
        cls.lab = Lab(cls.base / "lab", container_engine=str(socket)).__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, observer_flags=("--containerd-root", str(cls.base / "state"))).__enter__()
        cls.addClassCleanup(cls.system.close)

    @classmethod
    def load_cri(cls):
        try:
            import grpc
            import google.protobuf  # noqa: F401
        except ImportError as error:
            raise unittest.SkipTest(f"python3-grpcio and python3-protobuf are not installed: {error}") from error
        subprocess.run(["protoc", f"--proto_path={DOUBLES}", f"--python_out={cls.base}", "cri.proto"], check=True)
        sys.path.insert(0, str(cls.base))
        import cri_pb2
        cls.channel = grpc.insecure_channel(f"unix://{cls.base}/containerd.sock")
        cls.addClassCleanup(cls.channel.close)
        return cri_pb2

    @classmethod
    def call(cls, method: str, request):
        answer = getattr(cls.cri, method + "Response")
        return cls.channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=type(request).SerializeToString,
                                       response_deserializer=answer.FromString)(request, timeout=30)

    @classmethod
    def start_engine(cls) -> None:
        config = cls.base / "containerd.toml"
        config.write_text(f"""version = 2
root = "{cls.base}/root"
state = "{cls.base}/state"
[grpc]
address = "{cls.base}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:latest"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.told]
runtime_type = "io.containerd.runc.v2"
pod_annotations = ["*.runner.gitlab.com/*"]
""", encoding="utf-8")
        with open(cls.base / "containerd.log", "wb") as log:
            daemon = subprocess.Popen(["containerd", "--config", str(config)], stdout=log, stderr=log)
        cls.addClassCleanup(daemon.wait)
        cls.addClassCleanup(daemon.terminate)
        client = ["ctr", "--address", f"{cls.base}/containerd.sock", "--namespace", "k8s.io"]
        wait_for("containerd answers, or ends", lambda: daemon.poll() is not None or
                 subprocess.run([*client, "images", "list"], capture_output=True).returncode == 0)
        subprocess.run(["cc", "-static", "-x", "c", "-o", str(cls.base / "pause"), "-"], check=True, text=True,
                       input="#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
        for name, layer, command in (("pause", archive({"pause": (cls.base / "pause").read_bytes()}), ["/pause"]),
                                     ("empty", empty_image(), ["sh"])):
            described = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": command}, "rootfs": {
                "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
            packed = archive({"layer.tar": layer, "config.json": described, "manifest.json": json.dumps([
                {"Config": "config.json", "RepoTags": [f"localhost/{name}:latest"], "Layers": ["layer.tar"]}]).encode()})
            subprocess.run([*client, "images", "import", "--snapshotter", "native", "-"], input=packed, check=True, capture_output=True)

    def pod(self, name: str, annotations: dict[str, str], containers: dict[str, str], runtime: str = "") -> None:
        """`containers`: shell scripts by name. As it comes, containerd keeps a pod's annotations from its state files; the runtime
        "told" does not."""
        host = self.cri.NamespaceOption(network=2)
        config = self.cri.PodSandboxConfig(
            metadata=self.cri.PodSandboxMetadata(name=name, uid=f"uid-of-{name}", namespace="ci"), annotations=annotations,
            log_directory=str(self.base / "pod-logs"),
            linux=self.cri.LinuxPodSandboxConfig(cgroup_parent="/" + self.group.name,
                                                 security_context=self.cri.LinuxSandboxSecurityContext(namespace_options=host)))
        pod = self.call("RunPodSandbox", self.cri.RunPodSandboxRequest(config=config, runtime_handler=runtime)).pod_sandbox_id
        self.addCleanup(self.call, "RemovePodSandbox", self.cri.RemovePodSandboxRequest(pod_sandbox_id=pod))
        for kind, script in containers.items():
            container = self.cri.ContainerConfig(
                metadata=self.cri.ContainerMetadata(name=kind), image=self.cri.ImageSpec(image="localhost/empty:latest"),
                command=["sh", "-c", script], envs=[self.cri.KeyValue(key="DEPLOY_KEY", value=SECRET)],
                mounts=[self.cri.Mount(container_path=place, host_path=place, readonly=True) for place in MOUNTED], log_path=f"{name}-{kind}.log",
                linux=self.cri.LinuxContainerConfig(security_context=self.cri.LinuxContainerSecurityContext(namespace_options=host)))
            made = self.call("CreateContainer", self.cri.CreateContainerRequest(pod_sandbox_id=pod, config=container, sandbox_config=config))
            self.call("StartContainer", self.cri.StartContainerRequest(container_id=made.container_id))

    def running(self, path: str, names: tuple[str, ...]) -> tuple[dict, list[dict]]:
        project = self.lab.project(path, files={"a": "a"})
        pipeline = self.lab.pipeline(project, [{"name": name, "script": ["sleep 6"]} for name in names], ref="main")
        jobs = self.lab.show(pipeline)["jobs"]
        for job in jobs:
            self.lab.wait_job(job, "running")
            job["project_id"] = project["id"]
        return pipeline, jobs

    def name_of(self, job: dict, slot: int) -> str:
        return f"runner-{self.lab.runner_token[:8].lower()}-project-{job['project_id']}-concurrent-{slot}-x1y2z3{slot}"

    def annotations_of(self, path: str, job: dict) -> dict[str, str]:
        return {"job.runner.gitlab.com/id": str(job["id"]), "job.runner.gitlab.com/url": f"{self.lab.url}/{path}/-/jobs/{job['id']}",
                "project.runner.gitlab.com/id": str(job["project_id"])}

    def told_of(self, job: dict) -> dict:
        return wait_for(lambda: f"the report\n{self.system.story()}", lambda: self.system.job(job["id"]))["usage"]

    def test_the_name_of_a_pod_tells_whose_it_is_when_its_job_is_alone(self) -> None:
        pipeline, (job,) = self.running("grp/alone", ("job",))
        self.pod(self.name_of(job, 0), self.annotations_of("grp/alone", job), {"build": BURN_FOR.format(2), "helper": "sleep 3", "svc-0": BURN_FOR.format(1)})
        self.pod("somebody-elses", {}, {"web": BURN_FOR.format(1)})
        self.lab.wait(pipeline)
        usage = self.told_of(job)
        parts = {part["kind"]: part for part in usage.get("containers", [])}
        print("    containerd: told " + ", ".join(f"{kind} {part['cpu_s']:.3f} s" for kind, part in sorted(parts.items())), flush=True)
        self.assertEqual(set(parts), {"build", "helper", "service"}, usage)
        self.assertEqual({part["engine"] for part in parts.values()}, {"containerd"})
        self.assertAlmostEqual(parts["build"]["cpu_s"], 2, delta=0.15)
        self.assertAlmostEqual(parts["service"]["cpu_s"], 1, delta=0.15)
        self.assertLess(usage["cpu_s"], 3.6, "another's pod is not the job's")
        self.assertNotIn(SECRET, json.dumps(usage))

    def test_annotations_tell_jobs_of_one_project_apart_where_containerd_passes_them_on(self) -> None:
        pipeline, jobs = self.running("grp/pair", ("small", "large"))
        for slot, (job, seconds) in enumerate(zip(jobs, (0.5, 2))):
            self.pod(self.name_of(job, slot), self.annotations_of("grp/pair", job), {"build": BURN_FOR.format(seconds)}, runtime="told")
        self.lab.wait(pipeline)
        for job, seconds in zip(jobs, (0.5, 2)):
            parts = self.told_of(job).get("containers", [])
            self.assertEqual([part["kind"] for part in parts], ["build"], self.system.story())
            self.assertAlmostEqual(parts[0]["cpu_s"], seconds, delta=0.15)

    def test_names_do_not_tell_jobs_of_one_project_apart(self) -> None:
        pipeline, jobs = self.running("grp/unknown", ("one", "two"))
        for slot, job in enumerate(jobs):
            self.pod(self.name_of(job, slot), self.annotations_of("grp/unknown", job), {"build": BURN_FOR.format(1)})
        said = self.doctor()
        self.lab.wait(pipeline)
        for job in jobs:
            self.assertNotIn("containers", self.told_of(job))
        self.assertRegex(said, r"ok    containerd: \d+ containers are seen")
        self.assertIn('pod_annotations = ["*.runner.gitlab.com/*"]', said)

    def doctor(self) -> str:
        return self.system.run("gitaiops-observer", "--containerd-root", str(self.base / "state"), "--", str(self.system.bin / "gitaiops-agent"),
                               "doctor", "--config", str(self.system.agent_toml), check=False).stdout


if __name__ == "__main__":
    unittest.main()
