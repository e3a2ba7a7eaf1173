"""Who may include whom: the arrows of docs/architecture.md, checked over every #include of ours.

Run with the repository's root as the only argument. Prints each forbidden arrow as file:line and exits 1.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
# Third-party headers that only one place may see.
CONFINED = {
    "grpcpp/": ("base/rpc/",),
    "grpc/": ("base/rpc/",),
    ".grpc.pb.h": ("base/rpc/",),
    "SQLiteCpp/": ("base/sqlite/",),
    "sqlite3.h": ("base/sqlite/",),
    "spdlog/": ("base/log/",),
    "curl/": ("base/outgoing/",),
    "openssl/": ("base/tls/", "base/crypto/", "engines/scanner/provenance/"),
    "boost/": ("base/http/", "agent/jobs/trace_reader.h"),
    "toml++/": ("base/config/", "engines/diagnosis/", "engines/scanner/documents/", "engines/triage/rules/", "controller/models/"),
    "pugixml": ("engines/scanner/documents/",),
    "yaml.h": ("engines/scanner/documents/",),
    "hs/": ("engines/diagnosis/",),
    "re2/": ("engines/diagnosis/",),
    "zstd.h": ("base/zstd/", "engines/scanner/advisories/"),
    "simdjson.h": ("engines/triage/", "engines/scanner/advisories/", "engines/scanner/documents/", "controller/webhooks/"),
    "zip.h": ("engines/scanner/advisories/sources.cpp",),
    "zlib.h": ("agent/jobs/trace_reader.cpp", "cli/history_file.cpp", "engines/scanner/advisories/sources.cpp"),
    "CLI/": ("base/command_line/", "cli/main.cpp", "agent/main.cpp", "controller/main.cpp"),
}
# room → rooms whose headers it may include (its own folder is always allowed).
MAY = {
    "engines": ("engines", "base/result", "base/bytes"),
    "base": ("base",),
    "agent": ("agent", "engines", "base", "proto"),
    "controller": ("controller", "engines", "base", "proto"),
    "cli": ("cli", "engines", "base", "proto"),
}


def problems(root, file):
    path = file.relative_to(root).as_posix()
    room = path.split("/")[0]
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(2)
        for name, places in CONFINED.items():
            if (target.startswith(name) or (name.startswith(".") and target.endswith(name))) and not path.startswith(places):
                yield f"{path}:{number}: <{target}> belongs behind {' or '.join(places)}"
        if match.group(1) == "<":
            continue
        if target.startswith("gitaiops/"):
            allowed = "proto" in MAY[room] or path.startswith("base/rpc/")
        else:
            allowed = any(target.startswith(prefix + "/") or target.startswith(prefix + ".") for prefix in MAY[room])
        if not allowed:
            yield f"{path}:{number}: {room} may not include {target}"
        # Inside agent and controller a folder shows one header; only the mains wire folders together.
        parts, own = target.split("/"), path.split("/")
        if room in ("agent", "controller") and parts[0] == room and len(parts) == 3 and len(own) == 3:
            public = (f"{parts[1]}.h", "fact.h")
            if parts[1] != own[1] and parts[2] not in public:
                yield f"{path}:{number}: {target} is private to {parts[0]}/{parts[1]}"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [f for room in MAY for f in (root / room).rglob("*") if f.suffix in (".h", ".cpp")]
    found = [p for f in sorted(files) for p in problems(root, f)]
    print("\n".join(found) if found else f"{len(files)} files, every arrow points the right way")
    return 1 if found or not files else 0


sys.exit(main())
