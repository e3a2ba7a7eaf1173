"""Every report that `gitaiops scan` writes fits its format, closed: a field that the format does not have fails as well.

The schemas here are written from the formats' own texts (SARIF 2.1.0, OASIS; SPDX 2.3; GitLab's dependency scanning report 15.2) for the
parts that we write. Where a corpus has the whole schemas (sarif*.json, spdx-schema*.json, dependency-scanning*.json) they are used as well.
Exits 77 when python3-jsonschema is missing.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is missing")
    sys.exit(77)

PROGRAM = sys.argv[1]
CACHE = os.environ.get("GITAIOPS_CORPUS") or os.path.expanduser("~/.cache/gitaiops-corpus")
SCHEMAS = pathlib.Path(CACHE) / "scanner/schemas"

TEXT = {"type": "string", "minLength": 1}
NUMBER = {"type": "number"}


def closed(required, optional=None):
    """An object of these properties and no others."""
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required), "additionalProperties": False}


def some(items, **more):
    return {"type": "array", "items": items, **more}


def one_of(*values):
    return {"enum": list(values)}


def matching(pattern):
    return {"type": "string", "pattern": pattern}


MESSAGE = closed({"text": TEXT})
TIME = matching(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$")
SARIF = closed({
    "version": one_of("2.1.0"),
    "runs": some(closed({
        "tool": closed({"driver": closed({"name": TEXT}, {
            "version": TEXT,
            "rules": some(closed({"id": TEXT}, {
                "shortDescription": MESSAGE, "helpUri": matching(r"^https://[!-~]+$"),
                "properties": {"type": "object", "properties": {
                    "tags": some(TEXT, uniqueItems=True), "security-severity": matching(r"^\d+\.\d$")}}}), uniqueItems=True)})}),
        "results": some(closed({"message": MESSAGE}, {
            "ruleId": TEXT, "ruleIndex": {"type": "integer", "minimum": -1}, "level": one_of("none", "note", "warning", "error"),
            "locations": some(closed({"physicalLocation": closed({"artifactLocation": closed({"uri": matching(r"^[!-~]+$")})}, {
                "region": closed({"startLine": {"type": "integer", "minimum": 1}})})})),
            "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
            "suppressions": some(closed({"kind": one_of("inSource", "external")}, {"justification": TEXT}), uniqueItems=True),
            "properties": {"type": "object"}}))}), minItems=1)},
    {"$schema": matching(r"^https://[!-~]+$")})

GITLAB_PROGRAM = closed({"id": TEXT, "name": TEXT, "version": TEXT, "vendor": closed({"name": TEXT})})
GITLAB = closed({
    "version": matching(r"^15\.2\.\d+$"),
    "scan": closed({"analyzer": GITLAB_PROGRAM, "scanner": GITLAB_PROGRAM, "type": one_of("dependency_scanning"), "start_time": TIME,
                    "end_time": TIME, "status": one_of("success", "failure")}),
    "vulnerabilities": some(closed({
        "id": TEXT,
        "identifiers": some(closed({"type": TEXT, "name": TEXT, "value": TEXT}, {"url": matching(r"^https?://[!-~]+$")}), minItems=1),
        "location": closed({"file": TEXT, "dependency": closed({"package": closed({"name": TEXT}), "version": TEXT})})}, {
            "name": {"type": "string", "maxLength": 255}, "description": {"type": "string", "maxLength": 1048576},
            "severity": one_of("Info", "Unknown", "Low", "Medium", "High", "Critical"), "solution": {"type": "string", "maxLength": 7000},
            "links": some(closed({"url": matching(r"^(http|https|ftp)://[!-~]+$")}, {"name": TEXT}))}))})

SPDX_ID = matching(r"^SPDXRef-[A-Za-z0-9.-]+$")
SPDX = closed({
    "spdxVersion": one_of("SPDX-2.3"), "dataLicense": one_of("CC0-1.0"), "SPDXID": one_of("SPDXRef-DOCUMENT"), "name": TEXT,
    "documentNamespace": matching(r"^[a-z][a-z0-9+.-]*:[^#\s]+$"),
    "creationInfo": closed({"created": matching(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
                            "creators": some(matching(r"^(Tool|Person|Organization): .+"), minItems=1)}, {"comment": TEXT}),
}, {
    "comment": TEXT, "documentDescribes": some(SPDX_ID),
    "packages": some(closed({"SPDXID": SPDX_ID, "name": TEXT, "downloadLocation": TEXT}, {
        "versionInfo": TEXT, "filesAnalyzed": {"type": "boolean"}, "licenseConcluded": TEXT, "licenseDeclared": TEXT, "copyrightText": TEXT,
        "supplier": TEXT, "comment": TEXT, "sourceInfo": TEXT, "primaryPackagePurpose": one_of("APPLICATION", "LIBRARY", "SOURCE", "OTHER"),
        "checksums": some(closed({"algorithm": one_of("MD5", "SHA1", "SHA256", "SHA384", "SHA512"), "checksumValue": matching("^[0-9a-f]+$")})),
        "externalRefs": some(closed({"referenceCategory": one_of("PACKAGE-MANAGER", "SECURITY", "OTHER", "PERSISTENT-ID"),
                                     "referenceType": TEXT, "referenceLocator": TEXT}, {"comment": TEXT}))})),
    "relationships": some(closed({"spdxElementId": SPDX_ID, "relatedSpdxElement": SPDX_ID, "relationshipType": one_of(
        "DESCRIBES", "DEPENDS_ON", "CONTAINS", "DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF", "BUILD_DEPENDENCY_OF", "DEV_DEPENDENCY_OF",
        "OPTIONAL_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF", "TEST_DEPENDENCY_OF")}, {"comment": TEXT}))})

ADVISORY = {
    "modified": "2026-01-01T00:00:00Z", "summary": "Crafted <input> | makes `ring` read\nbeyond its buffer " + "é" * 300,
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
}
TREE = {
    "a b/ü#%/requirements.txt": "ring==1.0\ntin==1.0\nopen>=2\n",
    "package.json": '{"name": "shop", "dependencies": {"ring": "^1.0.0"}}',
    "package-lock.json": json.dumps({"name": "shop", "lockfileVersion": 3, "packages": {
        "": {"name": "shop", "dependencies": {"ring": "^1.0.0"}},
        "node_modules/ring": {"version": "1.0.0", "integrity": "sha512-" + "A" * 86 + "==", "dependencies": {"tin": "*"}},
        "node_modules/tin": {"version": "1.0.0", "resolved": "git+https://git.example/tin.git#abc"}}}),
    "broken/Cargo.lock": "<html><body>log in</body></html>",
}


def affected(identifier, ecosystem, name, **more):
    return {"id": identifier, "affected": [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.0"}]}], **more}], **ADVISORY}


RECORDS = [
    affected("GHSA-aaaa-bbbb-cccc", "PyPI", "ring"),
    affected("CVE-2026-1", "PyPI", "tin"),
    affected("OSV \"odd\" <id>", "npm", "ring"),
    affected("RUSTSEC-1", "npm", "tin", database_specific={"informational": "unmaintained"}),
]
IGNORED = '[[ignore]]\nid = "CVE-2026-1"\nreason = "not reached"\n'


def run(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True)
    assert done.returncode == 0, (arguments, done.returncode, done.stderr.decode())
    return done.stdout


def check(name, report, schema, whole):
    schemas = [schema] + [json.loads(path.read_text()) for path in sorted(SCHEMAS.glob(whole))]
    for one in schemas:
        problems = list(jsonschema.validators.validator_for(one, default=jsonschema.Draft7Validator)(one).iter_errors(report))
        for problem in problems[:10]:
            print(name, list(problem.path), problem.message[:300])
        assert not problems, name


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in TREE.items():
            (root / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "tree" / name).write_text(text)
        (root / "osv").mkdir()
        for number, record in enumerate(RECORDS):
            (root / "osv" / f"{number}.json").write_text(json.dumps(record))
        (root / "ignored.toml").write_text(IGNORED)
        run("advisories", "build", "--out", root / "index", root / "osv")
        scan = ["scan", "--advisories", root / "index", "--ignore", root / "ignored.toml", root / "tree", "--format"]

        sarif = json.loads(run(*scan, "sarif"))
        check("sarif", sarif, SARIF, "*sarif*.json")
        results, rules = sarif["runs"][0]["results"], sarif["runs"][0]["tool"]["driver"]["rules"]
        assert len(results) == 4 and all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)
        assert sum("suppressions" in r for r in results) == 1

        gitlab = json.loads(run(*scan, "gitlab"))
        check("gitlab", gitlab, GITLAB, "*dependency-scanning*.json")
        assert len(gitlab["vulnerabilities"]) == 3 and len({v["id"] for v in gitlab["vulnerabilities"]}) == 3

        spdx = json.loads(run(*scan, "spdx"))
        check("spdx", spdx, SPDX, "spdx-schema*.json")
        ids = [package["SPDXID"] for package in spdx["packages"]] + ["SPDXRef-DOCUMENT"]
        assert len(set(ids)) == len(ids)
        assert all(r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids for r in spdx["relationships"])

        named = run(*scan, "gitlab-sbom", "--output", str(root / "bills") + "/").decode().splitlines()
        assert [pathlib.Path(path).name for path in named] == ["gl-sbom-pypi-pip.cdx.json", "gl-sbom-npm-npm.cdx.json"], named
        for path in named:
            said = {p["name"]: p["value"] for p in json.loads(pathlib.Path(path).read_text())["metadata"]["properties"]}
            assert said["gitlab:meta:schema_version"] == "1" and said["gitlab:dependency_scanning:input_file:path"] in TREE

        everything = json.loads(run(*scan, "json"))
        assert len(everything["findings"]) == 4 and everything["plan"]["upgrades"] and everything["problems"]
        assert b"broken/Cargo.lock" in run(*scan, "markdown")
    print("SARIF, GitLab's report, SPDX and GitLab's bills fit their formats")


main()
