"""The contract only grows: what a released version of proto/ had is there with the same number, name and type.

  contract.py ROOT            compares proto/ with every tests/conformance/wire/*/contract.txt; exit 1 and a line each if
                              something changed or went without its number and name being `reserved`
  contract.py ROOT --write F  writes the contract of today into F (once for each release)
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PROTOS = ("gitaiops/fleet/v1/fleet.proto", "gitaiops/enrollment/v1/enrollment.proto")
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|([\w.\-]+)')


def parse(words):
    """protoc's text of a message → {name: [values]}, a value being text or a dict."""
    out = {}
    for text, brace, word in words:
        if brace == "}":
            return out
        quoted, opens, value = next(words)
        out.setdefault(word, []).append(parse(words) if opens == "{" else quoted or value)
    return out


def descriptors(root):
    with tempfile.NamedTemporaryFile() as file:
        proto = root / "proto"
        subprocess.run(["protoc", "-I", str(proto), f"--descriptor_set_out={file.name}", *PROTOS], check=True)
        text = subprocess.run(["protoc", "--decode=google.protobuf.FileDescriptorSet", "google/protobuf/descriptor.proto"],
                              input=pathlib.Path(file.name).read_bytes(), stdout=subprocess.PIPE, check=True).stdout.decode()
    # "name: value" and "name {" read alike once the colon is gone.
    plain = re.sub(r'^(\s*\w+):', r"\1", text, flags=re.M)
    return parse(iter(m.groups() for m in TOKEN.finditer(plain)))


class Contract:
    def __init__(self, descriptor_set):
        self.lines = {}      # (kind, owner, number or name) → the rest, in words
        self.reserved = {}   # owner → (numbers, names)
        for file in descriptor_set["file"]:
            package = file["package"][0]
            for message in file.get("message_type", []):
                self.message(package, message)
            for enum in file.get("enum_type", []):
                self.enum(package, enum)
            for service in file.get("service", []):
                for rpc in service["method"]:
                    streams = " ".join(k for k in ("client_streaming", "server_streaming") if k in rpc)
                    self.lines["rpc", f"{package}.{service['name'][0]}", rpc["name"][0]] = \
                        f"{rpc['input_type'][0]} {rpc['output_type'][0]} {streams}".strip()

    def keep(self, owner, item, past_end):
        numbers = set()
        for span in item.get("reserved_range", []):
            numbers |= set(range(int(span["start"][0]), int(span["end"][0]) + (0 if past_end else 1)))
        self.reserved[owner] = (numbers, set(item.get("reserved_name", [])))

    def message(self, scope, message):
        owner = f"{scope}.{message['name'][0]}"
        self.keep(owner, message, past_end=True)
        oneofs = [o["name"][0] for o in message.get("oneof_decl", [])]
        for field in message.get("field", []):
            words = [field["name"][0], field["label"][0], field.get("type_name", field["type"])[0]]
            if "proto3_optional" in field:
                words.append("optional")
            elif "oneof_index" in field:
                words.append("in " + oneofs[int(field["oneof_index"][0])])
            self.lines["field", owner, field["number"][0]] = " ".join(words)
        for nested in message.get("nested_type", []):
            self.message(owner, nested)
        for enum in message.get("enum_type", []):
            self.enum(owner, enum)

    def enum(self, scope, enum):
        owner = f"{scope}.{enum['name'][0]}"
        self.keep(owner, enum, past_end=False)
        for value in enum["value"]:
            self.lines["value", owner, value["number"][0]] = value["name"][0]

    def text(self):
        return "".join(f"{' '.join(key)} {rest}\n" for key, rest in sorted(self.lines.items()))


def broken(now, baseline):
    for line in baseline.read_text(encoding="utf-8").splitlines():
        kind, owner, number, rest = line.split(" ", 3)
        found = now.lines.get((kind, owner, number))
        numbers, names = now.reserved.get(owner, (set(), set()))
        gone = found is None and kind != "rpc" and int(number) in numbers and rest.split()[0] in names
        if found != rest and not gone:
            yield (f"{owner}: {kind} {number} was '{rest}' in {baseline.parent.name} and is "
                   + (f"'{found}'" if found else "gone; reserve its number and its name"))


def main():
    root = pathlib.Path(sys.argv[1])
    now = Contract(descriptors(root))
    if "--write" in sys.argv:
        pathlib.Path(sys.argv[3]).write_text(now.text(), encoding="utf-8")
        return 0
    baselines = sorted((root / "tests/conformance/wire").glob("*/contract.txt"))
    found = [problem for baseline in baselines for problem in broken(now, baseline)]
    print("\n".join(found) if found else f"{len(now.lines)} parts, all that {len(baselines)} release(s) had is there")
    return 1 if found or not baselines else 0


sys.exit(main())
