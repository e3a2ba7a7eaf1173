"""Every bill of materials that `gitaiops scan` writes fits its format.

Run with the program and the repository's root. CycloneDX is checked against the schemas of the corpus, SPDX by the rules that its
specification gives for the fields that we write. Exits 77 when the schemas or python3-jsonschema are missing.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing")
    sys.exit(77)

TREE = {
    "package.json": '{"name": "shop", "dependencies": {"@ring/part": "^1.0.0"}, "devDependencies": {"tester": "2.0.0"}}',
    "package-lock.json": json.dumps({"name": "shop", "lockfileVersion": 3, "packages": {
        "": {"name": "shop", "dependencies": {"@ring/part": "^1.0.0"}},
        "node_modules/@ring/part": {"version": "1.2.0", "integrity": "sha512-" + "A" * 86 + "==", "dependencies": {"deep": "1"}},
        "node_modules/deep": {"version": "1.0.0", "resolved": "git+https://git.example/deep.git#abc"}}}),
    "requirements.txt": "Ring_Part==1.0 --hash=sha256:" + "ab" * 32 + "\nopen>=2\n",
    "pom.xml": "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><dependencies><dependency>"
               "<groupId>org.ring</groupId><artifactId>core</artifactId><version>1.0</version></dependency></dependencies></project>",
    "go.mod": "module m\n\ngo 1.22\n\nrequire a.example/b v1.0.0\n",
}


def schemas(root):
    folders = [os.environ.get("GITAIOPS_CORPUS"), os.path.expanduser("~/.cache/gitaiops-corpus")]
    unpack = root.parent / "shared/corpus/unpack"
    for folder in filter(None, folders):
        if (pathlib.Path(folder) / "scanner/schemas").is_dir():
            return pathlib.Path(folder) / "scanner/schemas"
    if unpack.exists():
        out = subprocess.run([unpack], capture_output=True, text=True, check=True).stdout.strip().splitlines()
        return pathlib.Path(out[-1]) / "scanner/schemas"
    print("no corpus: set GITAIOPS_CORPUS")
    sys.exit(77)


def validator(folder, version):
    files = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    main = files[f"bom-{version}.SNAPSHOT.schema.json"]
    store = {"http://cyclonedx.org/schema/" + name: content for name, content in files.items()}
    resolver = jsonschema.RefResolver(base_uri=main["$id"], referrer=main, store=store)
    return jsonschema.Draft7Validator(main, resolver=resolver)


def check_spdx(bill):
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["dataLicense"] == "CC0-1.0" and bill["SPDXID"] == "SPDXRef-DOCUMENT"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Person|Organization): ", c) for c in bill["creationInfo"]["creators"])
    ids = {p["SPDXID"] for p in bill["packages"]} | {"SPDXRef-DOCUMENT"}
    assert len(ids) == len(bill["packages"]) + 1
    for package in bill["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"]) and package["name"] and package["downloadLocation"]
    for relation in bill["relationships"]:
        assert relation["spdxElementId"] in ids and relation["relatedSpdxElement"] in ids
    assert sum("externalRefs" in p for p in bill["packages"]) == 8, bill


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    folder = schemas(root)
    with tempfile.TemporaryDirectory() as tree:
        for name, text in TREE.items():
            (pathlib.Path(tree) / name).write_text(text)
        for place in [tree, tree + "/requirements.txt"]:
            for form, version in [("cyclonedx", "1.6"), ("cyclonedx-1.5", "1.5")]:
                bill = json.loads(subprocess.run([program, "scan", "--format", form, place], capture_output=True, check=True).stdout)
                problems = list(validator(folder, version).iter_errors(bill))
                for problem in problems[:10]:
                    print(version, list(problem.path), problem.message[:300])
                assert not problems
                assert bill["specVersion"] == version and bill["components"]
                names = {p["name"] for p in bill["metadata"]["properties"]}
                assert "gitlab:meta:schema_version" in names
                assert ("gitlab:dependency_scanning:input_file:path" in names) == (place != tree)
                assert all(any(p["name"] == "gitlab:dependency_scanning:input_file:path" for p in c["properties"])
                           for c in bill["components"])
        check_spdx(json.loads(subprocess.run([program, "scan", "--format", "spdx", tree], capture_output=True, check=True).stdout))
    print("CycloneDX 1.6 and 1.5 fit their schemas, SPDX 2.3 its rules")


main()
