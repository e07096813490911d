#!/usr/bin/env python3
"""Put libtorch at DEPS/torch, a link to the folder that holds `lib` and `include`.

libtorch comes out of the `torch` wheel of whatever index pip is set up for; nothing is installed in Python. pip
only resolves: it says which file, where, with which checksum. The download is ours, so that a broken one goes on
where it stopped. Each variant is unpacked in DEPS/libtorch-VERSION-VARIANT, which appears by a rename once it is
whole. Safe to repeat: a variant that is there is not fetched again.
"""

import argparse
import base64
import csv
import fcntl
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import BinaryIO, Callable, Dict, List, NamedTuple, Optional, Tuple

VERSION = "2.13.0"

# The libraries do not depend on the Python version, so one fixed choice serves every user's Python.
PYTHON = ["--python-version", "311", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none",
          "--ignore-requires-python"]

# Libraries of the wheel that only Python or PyTorch's own tests load.
PYTHON_ONLY = ("libtorch_python", "libtorch_global_deps", "libshm", "_test.so", "custom_ops", "with_compiler")

# Libraries of a CUDA wheel that a CPU build does without; libtorch.so is an empty one that pulls in libtorch_cuda.
CUDA_ONLY = ("cuda", "nvrtc", "nvshmem", "libtorch.so")

# What a CUDA wheel's libtorch_cpu.so needs even where nothing runs on a GPU.
PROFILING = ("nvidia-cuda-runtime", "nvidia-cuda-cupti")

CHUNK = 1 << 20


class Fault(Exception):
    """What stops the script, in one line."""


class Damaged(Exception):
    """A downloaded wheel is not what the index or its own RECORD says."""


class Unavailable(Fault):
    """The index has no wheel that meets the requirement."""


class Wheel(NamedTuple):
    project: str
    version: str
    url: str
    sha256: Optional[str]

    @property
    def name(self) -> str:
        return urllib.parse.unquote(urllib.parse.urlsplit(self.url).path.rsplit("/", 1)[-1])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# pip: which wheels


class Pip:
    """pip as the user has set it up."""

    # The first that says what it would install without downloading it. The last ones for Python 3.8 do download it,
    # which costs time and nothing else.
    OLDEST = (25, 3) if sys.version_info >= (3, 9) else (22, 2)

    def __init__(self, deps: Path) -> None:
        self.command = [sys.executable, "-m", "pip"]
        if self.version() < self.OLDEST:
            self.command = [sys.executable, str(self.newer(deps))]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [*self.command, "--disable-pip-version-check", "--no-input", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)

    def version(self) -> Tuple[int, ...]:
        match = re.match(r"pip (\d+)\.(\d+)", self.run("--version").stdout)
        if match is None:
            raise Fault("%s has no pip (Debian: apt-get install python3-pip)" % sys.executable)
        return tuple(int(number) for number in match.groups())

    def newer(self, deps: Path) -> Path:
        """A newer pip in a folder of its own; that of the user stays as it is."""
        folder = deps / "pip"
        if not folder.exists():
            partial = deps / "pip.partial"
            shutil.rmtree(partial, ignore_errors=True)
            requirement = "pip>=%d.%d" % self.OLDEST
            run = self.run("install", "--quiet", "--target", str(partial), requirement)
            if run.returncode != 0:
                raise pip_fault(requirement, run.stderr)
            partial.rename(folder)
        return folder / "pip"

    def resolve(self, requirement: str, wanted: Callable[[str], bool]) -> List[Wheel]:
        """The wheels pip would install for `requirement`, dependencies too, of those projects that are wanted."""
        choice = ["--only-binary", ":all:", *PYTHON, *platform_tags(), requirement]
        if not wanted("nvidia-cuda-runtime"):
            choice.append("--no-deps")
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch, "report.json")
            run = self.run("install", "--quiet", "--dry-run", "--report", str(report), "--target", scratch, *choice)
            if run.returncode != 0:
                raise pip_fault(requirement, run.stderr)
            items = json.loads(report.read_text(encoding="utf-8"))["install"]
        return [wheel for wheel in map(reported_wheel, items) if wanted(wheel.project)]

    def download(self, wheel: Wheel, path: Path) -> None:
        requirement = "%s===%s" % (wheel.project, wheel.version)
        choice = ["--no-deps", "--only-binary", ":all:", *PYTHON, *platform_tags(), requirement]
        run = self.run("download", "--quiet", "--dest", str(path.parent), *choice)
        if run.returncode != 0:
            raise pip_fault(requirement, run.stderr)
        if not path.exists():
            raise Fault("pip downloaded another file than %s for %s" % (path.name, requirement))

    def setting(self, name: str) -> Optional[str]:
        """A setting of pip's configuration files or environment, as pip itself would use it."""
        values = {}
        for line in self.run("config", "list").stdout.splitlines():
            match = re.match(r"(:env:|install|global)\.%s='(.*)'$" % name, line)
            if match:
                values[match.group(1)] = match.group(2)
        return next((values[place] for place in (":env:", "install", "global") if place in values), None)


def platform_tags() -> List[str]:
    """Every tag a wheel for Linux with glibc 2.28 may carry; pip takes the named ones and no older ones."""
    machine = platform.machine()
    tags = ["manylinux_2_%d_%s" % (minor, machine) for minor in range(28, 4, -1)]
    tags += ["manylinux%s_%s" % (year, machine) for year in ("2014", "2010", "1")]
    return [option for tag in tags for option in ("--platform", tag)]


def reported_wheel(item: Dict) -> Wheel:
    metadata, source = item["metadata"], item["download_info"]
    project = re.sub(r"[-_.]+", "-", metadata["name"]).lower()
    return Wheel(project, metadata["version"], source["url"],
                 source.get("archive_info", {}).get("hashes", {}).get("sha256"))


def pip_fault(requirement: str, output: str) -> Fault:
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no output"]
    kind = Unavailable if "No matching distribution" in output else Fault
    return kind("pip has no %s: %s; TORCH_DIR can name a libtorch already there" % (requirement, errors[0]))


# Download


def opener(pip: Pip) -> urllib.request.OpenerDirector:
    """Like pip, through its proxy and with its certificates; otherwise through those of the environment."""
    certificates, proxy = pip.setting("cert"), pip.setting("proxy")
    handlers: List[urllib.request.BaseHandler] = []
    if certificates:
        folder = os.path.isdir(certificates)
        context = ssl.create_default_context(cafile=None if folder else certificates,
                                             capath=certificates if folder else None)
        handlers.append(urllib.request.HTTPSHandler(context=context))
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    return urllib.request.build_opener(*handlers)


def download(wheel: Wheel, path: Path, pip: Pip) -> None:
    """Fetch `wheel`, going on with what an earlier try left in `path`.partial."""
    partial = path.with_name(path.name + ".partial")
    web = opener(pip)
    tries = 0
    while True:
        before = size(partial)
        try:
            fetch_rest(web, wheel, partial)
            break
        except (OSError, http.client.HTTPException) as problem:  # urllib's own errors and time-outs are OSErrors
            tries = 0 if size(partial) > before else tries + 1
            final = isinstance(problem, urllib.error.HTTPError) and problem.code < 500
            if final or tries == 3:
                say("%s: %s; leaving the download to pip" % (wheel.name, problem))
                pip.download(wheel, path)
                if partial.exists():
                    partial.unlink()
                return
            time.sleep(tries)
    partial.replace(path)


def fetch_rest(web: urllib.request.OpenerDirector, wheel: Wheel, partial: Path) -> None:
    start = size(partial)
    request = urllib.request.Request(wheel.url, headers={"User-Agent": "pip"})
    if start:
        request.add_header("Range", "bytes=%d-" % start)
    try:
        response = web.open(request, timeout=60)
    except urllib.error.HTTPError as problem:
        if problem.code == 416:  # nothing is left to send; the checksum tells whether that is right
            return
        raise
    with response:
        resumed = getattr(response, "status", None) == 206
        expected = int(response.headers.get("Content-Length") or 0) + (start if resumed else 0)
        with partial.open("ab" if resumed else "wb") as output:
            copy(response, output, wheel.name, expected)
    if size(partial) < expected:
        raise OSError("connection lost at %s of %s" % (megabytes(size(partial)), megabytes(expected)))


def copy(source: BinaryIO, output: BinaryIO, name: str, expected: int) -> None:
    shown = sys.stderr.isatty()
    start = output.tell()
    if not shown:
        verb = "going on at %s of" % megabytes(start) if start else "fetching"
        say("%s: %s %s" % (name, verb, megabytes(expected)))
    while True:
        block = source.read(CHUNK)
        if not block:
            break
        output.write(block)
        if shown:
            done = megabytes(output.tell())
            print("\r%s: %s of %s " % (name, done, megabytes(expected)), end="", file=sys.stderr)
    if shown:
        say("")


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def megabytes(count: int) -> str:
    return "%.1f MB" % (count / 1e6)


# Check and unpack


def check(path: Path, sha256: Optional[str]) -> None:
    if sha256 is None:
        return
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(CHUNK), b""):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise Damaged("its SHA-256 is %s, the index says %s" % (digest.hexdigest(), sha256))


def unpack(path: Path, folder: Path, wanted: Callable[[str], bool]) -> None:
    """Unpack the wanted members, each checked against the wheel's RECORD."""
    try:
        with zipfile.ZipFile(path) as archive:
            record = read_record(archive)
            for member in archive.infolist():
                if wanted(member.filename) and not member.is_dir():
                    unpack_member(archive, member, folder, record)
    except (zipfile.BadZipFile, EOFError, zipfile.zlib.error) as problem:
        raise Damaged(str(problem))


def read_record(archive: zipfile.ZipFile) -> Dict[str, str]:
    names = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)]
    if len(names) != 1:
        raise Damaged("it has %d RECORD files instead of one" % len(names))
    rows = csv.reader(archive.read(names[0]).decode("utf-8").splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1}


def unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, record: Dict[str, str]) -> None:
    name = member.filename
    if name.startswith("/") or ".." in name.split("/"):
        raise Damaged("%s would leave the folder" % name)
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(member) as source, target.open("wb") as output:
        for block in iter(lambda: source.read(CHUNK), b""):
            digest.update(block)
            output.write(block)
    found = "sha256=" + base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")
    if record.get(name) != found:
        raise Damaged("%s is not what RECORD says" % name)


def place(wheel: Wheel, folder: Path, path: Path, wanted: Callable[[str], bool], pip: Pip) -> None:
    """Download, check and unpack; a damaged wheel is fetched anew, once."""
    for last in (False, True):
        try:
            if not path.exists():
                download(wheel, path, pip)
            check(path, wheel.sha256)
            unpack(path, folder, wanted)
            return
        except Damaged as damage:
            path.unlink()
            if last:
                raise Fault("%s: damaged again: %s" % (wheel.name, damage))
            say("%s: damaged: %s; deleted, fetching it anew" % (wheel.name, damage))


def members(variant: str) -> Callable[[str], bool]:
    """Which files of the wheels a variant keeps: libraries, headers and licences."""
    unused = PYTHON_ONLY + (CUDA_ONLY if variant == "cpu" else ())

    def wanted(name: str) -> bool:
        folder, _, file = name.rpartition("/")
        if name.startswith("torch/include/"):
            return True
        if folder == "torch/lib" or (name.startswith("nvidia/") and folder.endswith("/lib")):
            return ".so" in file and not (folder == "torch/lib" and any(part in file for part in unused))
        return ".dist-info/" in name and re.search("licen[cs]e|notice", name, re.IGNORECASE) is not None

    return wanted


# The variants


def chosen_wheels(variant: str, pip: Pip) -> List[Wheel]:
    if variant == "cpu":
        try:
            return pip.resolve("torch==%s+cpu" % VERSION, lambda project: project == "torch")
        except Unavailable:
            say("this index has no torch %s+cpu; taking the CPU half of the CUDA build" % VERSION)
    needed = PROFILING if variant == "cpu" else ("nvidia-",)
    # `==2.13.0` alone would also take `2.13.0+cpu`, and prefer it.
    return pip.resolve("torch==%s,!=%s+cpu" % (VERSION, VERSION),
                       lambda project: project == "torch" or project.startswith(needed))


def fetch(variant: str, deps: Path) -> Path:
    """The `torch` folder of a variant, fetched unless it is there."""
    folder = deps / ("libtorch-%s-%s" % (VERSION, variant))
    if not folder.exists():
        downloads = deps / "downloads"
        partial = deps / (folder.name + ".partial")
        downloads.mkdir(exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        pip = Pip(deps)
        for wheel in chosen_wheels(variant, pip):
            place(wheel, partial, downloads / wheel.name, members(variant), pip)
        partial.rename(folder)
        shutil.rmtree(downloads)
        say("libtorch %s (%s) is in %s" % (VERSION, variant, folder))
    return folder / "torch"


def has_gpu() -> bool:
    try:
        run = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0 and b"GPU" in run.stdout


def existing(folder: str) -> Path:
    path = Path(folder).expanduser().resolve()
    for needed in ("lib/libtorch_cpu.so", "include/ATen/ATen.h"):
        if not (path / needed).is_file():
            raise Fault("TORCH_DIR: %s has no %s; it must name the `torch` folder that holds lib and include"
                        % (folder, needed))
    return path


def link(torch: Path, place: Path) -> None:
    """Let `place` point to `torch`, in one step."""
    target = os.path.relpath(torch, place.parent) if place.parent in torch.parents else str(torch)
    if place.is_symlink() and os.readlink(place) == target:
        return
    if place.exists() and not place.is_symlink():
        raise Fault("%s is not a link made by this script; move it away" % place)
    new = place.with_name(place.name + ".new")
    if new.is_symlink():
        new.unlink()
    new.symlink_to(target)
    new.replace(place)
    say("%s -> %s" % (place, target))


def main() -> None:
    parser = argparse.ArgumentParser(description="Put libtorch at DEPS/torch.")
    parser.add_argument("--variant", choices=["auto", "cpu", "cuda"], default="auto",
                        help="auto: cuda where nvidia-smi lists a GPU, otherwise cpu")
    parser.add_argument("--use", metavar="FOLDER", help="link to this `torch` folder instead of fetching one")
    parser.add_argument("deps", metavar="DEPS", type=Path)
    options = parser.parse_args()

    options.deps.mkdir(parents=True, exist_ok=True)
    deps = options.deps.resolve()
    with (deps / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if options.use:
            torch = existing(options.use)
        else:
            variant = options.variant if options.variant != "auto" else "cuda" if has_gpu() else "cpu"
            torch = fetch(variant, deps)
        link(torch, deps / "torch")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit("fetch-libtorch: %s" % fault)
    except OSError as problem:
        sys.exit("fetch-libtorch: %s" % problem)
    except KeyboardInterrupt:
        sys.exit("fetch-libtorch: stopped; run it again to go on")
