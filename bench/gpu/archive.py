# SPDX-License-Identifier: MIT
"""The programs for a GPU, built beforehand and packed into one file with what they were built of."""
import hashlib
import io
import json
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".gpu"
LARGEST = 60 << 20
SOURCES = ("include", "tests/cuda", "tests/conformance", "tests/support", "bench/gpu", "cmake")  # that the programs are made of
ENDINGS = (".cu", ".cuh", ".hpp", ".cpp", ".h", ".inc", ".txt", ".cmake")


def hash_of_tree(root=ROOT):
    """Of the names and contents of the sources."""
    total = hashlib.sha256()
    files = (f for s in SOURCES for f in (root / s).rglob("*") if f.suffix in ENDINGS and f.is_file())
    for name, file in sorted((f.relative_to(root).as_posix(), f) for f in files):
        total.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()[:16]


def place(architecture, folder=FOLDER):
    return folder / f"programs-sm_{architecture}.tar.xz"


def pack(archive, programs, about, preset=9):
    """Writes the archive, and returns its size. By 9 it finds again what several programs have of the same libraries."""
    about = {**about, "programs": {p.name: p.stat().st_size for p in programs}}
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    with tarfile.open(partial, "w:xz", preset=preset) as tar:
        text = json.dumps(about, indent=1).encode()
        entry = tarfile.TarInfo("about.json")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
        for p in programs:
            tar.add(p, f"bin/{p.name}")
    partial.replace(archive)
    return archive.stat().st_size


def about(archive):
    """What pack was told, or {} where there is no archive."""
    try:
        with tarfile.open(archive, "r:xz") as tar:
            first = tar.next()
            return json.load(tar.extractfile(first)) if first and first.name == "about.json" else {}
    except (OSError, tarfile.TarError, EOFError, ValueError):
        return {}


def unpack(archive, folder):
    """The programs in it."""
    with tarfile.open(archive, "r:xz") as tar:
        for entry in tar:
            name = Path(entry.name)
            if entry.isfile() and name.parent == Path("bin"):
                folder.mkdir(parents=True, exist_ok=True)
                to = folder / name.name
                to.write_bytes(tar.extractfile(entry).read())
                to.chmod(0o755)
    return sorted(folder.glob("*"))
