#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what a version of hone is published as, from the commit that is checked out.

    release.py FOLDER              writes into FOLDER: hone-VERSION.tar.gz, hone-VERSION-single-headers.tar.gz, an SBOM
                                   (hone-VERSION.spdx.json, SPDX 2.3) and SHA256SUMS
    release.py FOLDER --tag        the same, and tags the commit as vVERSION; pushing the tag is yours
    release.py FOLDER --draft      the same without a tag, from a tree that is not clean or has no changelog of the version
    release.py --set VERSION       writes the version wherever it is written, and nothing else

It refuses where versions differ, where the tree has changes, where CHANGELOG.md has no part of the version, where names went or
changed and only PATCH is higher than before, and where docs/api.txt is not as the headers are. The same commit gives the same
bytes: times are those of the commit, and members are sorted.
"""
import argparse
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import uuid
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "packaging")]
import api
import single_header

SOURCE = ("include/hone/version.hpp", r'version = "(\d+\.\d+\.\d+)"')
PLACES = [  # a file, and where the version is in it; short ones are MAJOR.MINOR
    SOURCE,
    ("include/hone.h", r'HONE_VERSION "(\d+\.\d+\.\d+)"'),
    ("CITATION.cff", r"^version: (\d+\.\d+\.\d+)$"),
    ("packaging/vcpkg/hone/vcpkg.json", r'"version-semver": "(\d+\.\d+\.\d+)"'),
    ("packaging/meson/subprojects/hone.wrap", r"^revision = v(\d+\.\d+\.\d+)$"),
    ("packaging/meson/subprojects/packagefiles/hone/meson.build", r"version: '(\d+\.\d+\.\d+)'"),
    ("packaging/bazel/MODULE.bazel", r'name = "hone",\n    version = "(\d+\.\d+\.\d+)"'),
    ("packaging/debian/changelog", r"\Ahone \((\d+\.\d+\.\d+)-1\)"),
    ("docs/packages.md", r"\bv(\d+\.\d+\.\d+)\b"),
    ("docs/packages.md", r"hone\.git VERSION (\d+\.\d+\.\d+)"),
    ("docs/packages.md", r"find_package\(hone (\d+\.\d+) "),
    ("docs/packages.md", r"`hone (\d+\.\d+)`"),
    ("docs/packages.md", r"every (\d+\.\d+)\.x"),
    ("docs/packages.md", r"FIND_PACKAGE_ARGS (\d+\.\d+)"),
    ("docs/packages.md", r"hone/\[~(\d+\.\d+)\]"),
    ("docs/packages.md", r'name = "hone", version = "(\d+\.\d+\.\d+)"'),
    ("docs/stability.md", r"find_package\(hone (\d+\.\d+)\)"),
    ("README.md", r"find_package\(hone (\d+\.\d+) "),
    ("README.md", r"The version is (\d+\.\d+)\."),
]
ABI = ("include/hone/core/config.hpp", r"#define HONE_ABI v(\d+_\d+)")
DOORS = [path.name for path in sorted((ROOT / "include/hone").glob("*.[hc]*"))]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def git(*arguments, binary=False):
    said = subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True).stdout
    return said if binary else said.decode().strip()


def found(path, pattern):
    return re.findall(pattern, read(path), re.M)


def version_here():
    return found(*SOURCE)[0]


def differences(version):
    """Where another version is written."""
    for path, pattern in PLACES:
        versions = found(path, pattern)
        if not versions:
            yield f"{path}: no version as {pattern}"
        yield from (f"{path}: {other}, not {version}" for other in versions if version != other and not version.startswith(f"{other}."))
    abi = "_".join(version.split(".")[:2])
    yield from (f"{ABI[0]}: HONE_ABI is v{other}, not v{abi}" for other in found(*ABI) if other != abi)


def set_version(version):
    short = version.rpartition(".")[0]
    for path, pattern in [*PLACES, ABI]:
        def replaced(match):
            new = {0: short.replace(".", "_"), 1: short, 2: version}[match[1].count(".")]
            return match[0].replace(match[1], new)
        (ROOT / path).write_text(re.sub(pattern, replaced, read(path), flags=re.M), encoding="utf-8")


def changelog_complaints(version, changelog):
    parts = re.findall(r"^## (\S+).*?$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    names = [name for name, _ in parts]
    if version not in names:
        yield f"CHANGELOG.md has no part \"## {version}\""
        return
    at = names.index(version)
    older = names[at + 1] if at + 1 < len(names) else None
    if api.CHANGED in parts[at][1] and older:
        new, old = (tuple(map(int, number.split("."))) for number in (version, older))
        if (new[0] == old[0] > 0) or (new[0] == 0 and new[:2] == old[:2]):
            yield f"CHANGELOG.md: names went or changed, so {version} must be more than {older} by more than that (docs/stability.md)"
    if any(name == "Unreleased" and text.strip() for name, text in parts):
        yield "CHANGELOG.md: there is text under Unreleased"


def complaints(version, draft):
    wrong = list(differences(version))
    if read("docs/api.txt") != api.text_of_listing(api.listing(ROOT / "include")):
        wrong.append("docs/api.txt is not as the headers are: docs/api.py --write")
    if not draft:
        wrong += changelog_complaints(version, read("CHANGELOG.md"))
        if git("status", "--porcelain"):
            wrong.append("the tree has changes that are not committed")
    return wrong


def zipped(tar):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="", compresslevel=9) as file:
        file.write(tar)
    return out.getvalue()


def single_headers(version, time):
    """An archive with each door as one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for door in DOORS:
            text = single_header.single(ROOT / "include", door).encode()
            member = tarfile.TarInfo(f"hone-{version}-single-headers/hone/{door}")
            member.size, member.mtime, member.mode = len(text), time, 0o644
            tar.addfile(member, io.BytesIO(text))
    return zipped(out.getvalue())


def sbom(version, time, archive, digest):
    """An SPDX 2.3 document: hone, and what its headers include of others."""
    created = datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def package(name, version, licence, **more):
        return {"name": name, "SPDXID": f"SPDXRef-Package-{name}", "versionInfo": version, "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence,
                "copyrightText": "NOASSERTION", **more}

    hone = package("hone", version, "MIT", packageFileName=archive, primaryPackagePurpose="LIBRARY",
                   checksums=[{"algorithm": "SHA256", "checksumValue": digest}])
    others = [package("Eigen", "3.4 or newer", "MPL-2.0", comment="headers of the CPU; not part of the archive"),
              package("CUDA-Toolkit", "12 or newer", "NOASSERTION", comment="headers of CUDA alone; not part of the archive")]
    kinds = {"Eigen": "DEPENDS_ON", "CUDA-Toolkit": "OPTIONAL_DEPENDENCY_OF"}
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", hone["SPDXID"])]
    for other in others:
        pair = (hone["SPDXID"], other["SPDXID"])
        kind = kinds[other["name"]]
        relations.append((pair[0], kind, pair[1]) if kind == "DEPENDS_ON" else (pair[1], kind, pair[0]))
    document = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"hone-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "creationInfo": {"created": created, "creators": ["Organization: the hone authors", "Tool: packaging/release.py"]},
        "packages": [hone, *others],
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations]}
    return (json.dumps(document, indent=2) + "\n").encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--tag", action="store_true")
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--set", metavar="VERSION")
    options = parser.parse_args()
    if options.set:
        if not re.fullmatch(r"\d+\.\d+\.\d+", options.set):
            parser.error(f"--set {options.set} is not MAJOR.MINOR.PATCH")
        set_version(options.set)
        return 0
    if not options.folder or (options.tag and options.draft):
        parser.error("name a folder, and at most one of --tag and --draft")
    version = version_here()
    wrong = complaints(version, options.draft)
    if wrong:
        print("\n".join(wrong))
        return 1
    time = int(git("log", "-1", "--format=%ct"))
    name = f"hone-{version}"
    archive = zipped(git("archive", "--format=tar", f"--prefix={name}/", "HEAD", binary=True))
    digest = hashlib.sha256(archive).hexdigest()
    files = {f"{name}.tar.gz": archive, f"{name}-single-headers.tar.gz": single_headers(version, time),
             f"{name}.spdx.json": sbom(version, time, f"{name}.tar.gz", digest)}
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(files[file]).hexdigest()}  {file}\n" for file in sorted(files)).encode()
    options.folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (options.folder / file).write_bytes(content)
        print(f"{len(content):9d} bytes  {options.folder / file}")
    if options.tag:
        git("tag", "-a", f"v{version}", "-m", f"hone {version}")
        print(f"tagged v{version}: git push origin v{version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
