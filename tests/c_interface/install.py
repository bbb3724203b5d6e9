# SPDX-License-Identifier: MIT
"""Installs the Python package from a copy of what it needs, with the library HONE_LIBRARY, and uses it from elsewhere:
install.py REPOSITORY FOLDER. Exits with 77 where pip, setuptools or wheel is missing."""
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

missing = [name for name in ("pip", "setuptools", "wheel") if importlib.util.find_spec(name) is None]
if missing:
    print(f"SKIPPED: {sys.executable} has no {', '.join(missing)}")
    sys.exit(77)

USE = """import array, hone
logits = memoryview(array.array("f", [2, 0, -1, .5, 1, 3])).cast("B").cast("f", (2, 3))
value, _ = hone.cross_entropy(logits, array.array("i", [0, 2]), smoothing=.1, gradient=False)
assert abs(value - 0.3416) < 1e-4, value
print(hone.__file__, hone.__version__, value)"""

repository, folder = Path(sys.argv[1]), Path(sys.argv[2])
shutil.rmtree(folder, ignore_errors=True)
source, wheels, site = folder / "source", folder / "wheels", folder / "site"
shutil.copytree(repository / "python", source / "python",
                ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
(source / "include/hone/c").mkdir(parents=True)
for name in ("hone.h", "hone/c/hone.cpp"):
    shutil.copyfile(repository / "include" / name, source / "include" / name)
pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(wheels),
                str(source / "python")], check=True, cwd=folder)
(made,) = wheels.iterdir()
assert made.name.startswith("hone-") and "-py3-none-" in made.name, made.name
subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(site), str(made)], check=True, cwd=folder)
files = {p.relative_to(site / "hone").as_posix() for p in (site / "hone").rglob("*")
         if p.is_file() and "__pycache__" not in p.parts}
expected = {p.name for p in (repository / "python/hone").iterdir() if p.suffix == ".py"} | {"py.typed", "_hone.so"}
assert files == expected, files ^ expected
environment = {k: v for k, v in os.environ.items() if k != "HONE_LIBRARY"}
subprocess.run([sys.executable, "-c", USE], check=True, cwd=folder, env={**environment, "PYTHONPATH": str(site)})
