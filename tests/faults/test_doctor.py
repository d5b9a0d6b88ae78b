"""What `make doctor` finds on machines that are not ready, and that it tells what to do."""

import re
import socket
import subprocess
import sys
import time
from collections import namedtuple

import doctor
import pytest
import set_up
from small_clone import end, start
from small_packages import make_wheel

GB = doctor.GB


def test_a_clone_that_is_not_set_up_is_told_so(clone):
    code, told = end(start(clone, "make", "doctor"))
    assert code
    assert re.search(r"^ok     Python    3\.", told, re.M)
    assert re.search(r"^note   git       not found", told, re.M)  # only make, uv and Python are on PATH
    assert re.search(r"^to do  set-up    not done.*`make setup`", told, re.M)
    assert re.search(r"^To be done before the workshop: .*set-up\.$", told, re.M)
    assert "training" not in told


def test_an_interpreter_that_is_not_there_is_told_where_all_is_set_up(monkeypatch):
    release = ".".join(map(str, sys.version_info[:2]))
    noted = {"folder": str(set_up.ROOT)}
    monkeypatch.setattr(set_up, "noted", lambda: noted)
    monkeypatch.setattr(set_up, "state", lambda: noted)
    monkeypatch.setattr(set_up, "VENV_PYTHON", sys.executable)
    assert release in set_up.RELEASES and set_up.is_done("")
    found = {finding.subject: finding for finding in doctor.examine("/wrong")}
    assert found["Python"].verdict == "to do" and "/wrong" in found["Python"].text
    assert found["set-up"].verdict == "to do"


@pytest.mark.parametrize(
    ("finding", "verdict", "words"),
    [
        (lambda: doctor.memory(8 * GB), "ok", "8.0 GB"),
        (lambda: doctor.memory(3.8 * GB), "ok", "3.8 GB"),
        (lambda: doctor.memory(2 * GB), "to do", "2.0 GB: 4 GB are needed"),
        (lambda: doctor.cores(1), "note", "twice the time"),
        (lambda: doctor.cores(2), "ok", "2"),
        (lambda: doctor.clock(time.time()), "ok", ""),
        (lambda: doctor.clock(0), "to do", "before the project's last change"),
        (lambda: doctor.proxy({}), "ok", "none"),
        (lambda: doctor.proxy({"HTTPS_PROXY": "http://p:8080"}), "to do", "https_proxy.*export NO_PROXY="),
        (lambda: doctor.proxy({"http_proxy": "http://u:secret@p", "no_proxy": "localhost"}), "to do", "NO_PROXY"),
        (lambda: doctor.proxy({"http_proxy": "p", "NO_PROXY": "localhost, 127.0.0.1,.firm"}), "ok", "http_proxy"),
        (lambda: doctor.proxy({"all_proxy": "p", "no_proxy": "*"}), "ok", "all_proxy"),
        (lambda: doctor.packages([]), "ok", ""),
        (lambda: doctor.packages(["x is gone"]), "to do", "Faults: 1, such as: .*x is gone.*make setup"),
    ],
)
def test_a_finding_says_what_to_do(finding, verdict, words):
    found = finding()
    assert found.verdict == verdict and re.search(words, found.text)
    assert "secret" not in found.text


@pytest.mark.parametrize(
    ("done", "free", "verdict"), [(False, 4, "to do"), (False, 6, "ok"), (True, 4, "ok"), (True, 0.5, "to do")]
)
def test_disk(tmp_path, monkeypatch, done, free, verdict):
    usage = namedtuple("usage", "free")(free * GB)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: usage)
    assert doctor.disk(tmp_path, done).verdict == verdict


def test_a_platform_without_tensorflow(monkeypatch):
    assert doctor.platform().verdict == "ok"
    monkeypatch.setattr(set_up, "platform_name", lambda: "macos-x86_64")
    assert doctor.platform().verdict == "to do"


def test_a_port_that_is_taken_is_told(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(doctor, "PORTS", {taken: "End it"})
        assert [(found.verdict, found.subject) for found in doctor.ports()] == [("ok", "loopback"), ("note", "port")]
    assert [found.subject for found in doctor.ports()] == ["loopback"]


def refuse(*arguments, **options):
    raise PermissionError("a firewall")


def test_a_loopback_that_is_closed_is_told(monkeypatch):
    monkeypatch.setattr(doctor.socket, "create_server", refuse)
    monkeypatch.setattr(doctor, "PORTS", {})
    (found,) = doctor.ports()
    assert found.verdict == "to do" and "firewall" in found.text


@pytest.fixture
def training(tmp_path, monkeypatch):
    """A function that puts a program in the training script's place."""
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    monkeypatch.setattr(set_up, "VENV_PYTHON", sys.executable)
    (tmp_path / "scripts" / "training").mkdir(parents=True)
    return (tmp_path / "scripts" / "training" / "keras_mnist.py").write_text


def test_a_training_that_ends_is_told_with_its_last_line(training):
    training("import sys; print('Epoch 1'); print('accuracy 0.97', sys.argv[1:5:2])")
    found = doctor.training()
    assert found.verdict == "ok" and found.text.endswith("accuracy 0.97 ['--data-folder', '--epochs']")


def test_a_training_that_fails_or_hangs_is_told(training, monkeypatch):
    training("import sys; sys.exit('no such instruction: AVX')")
    found = doctor.training()
    assert found.verdict == "to do" and "exit code 1: no such instruction: AVX" in found.text
    training("import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "TRAINING_SECONDS", 0.2)
    assert "not done after 0.2 s" in doctor.training().text


def test_packages_that_are_not_whole_are_named(tmp_path, monkeypatch):
    """Of a folder of packages one is damaged, one of another version, and one without its list."""
    site = tmp_path / "site"
    for name in ("whole", "damaged", "older", "listless", "shared"):
        wheel = make_wheel(tmp_path, name, module="NAME = 1")
        subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], check=True)
    (site / "damaged.py").write_text("")
    (site / "older.py").unlink()
    (site / "listless-1.0.dist-info" / "RECORD").unlink()
    with (site / "shared-1.0.dist-info" / "RECORD").open("a") as record:
        record.write("damaged.py,,0\n")  # a file that two packages bring: either's is whole
    locked = ["whole==1.0", "damaged==1.0", "older==2.0", "listless==1.0", "absent==1.0"]
    assert faults(site, locked, tmp_path) == [
        "older 1.0 is installed, not 2.0",
        "listless has lost its list of files",
        "absent is not installed",
        f"{site / 'damaged.py'} has another size than it was installed with",
        f"{site / 'older.py'} is gone",
    ]
    assert faults(site, ["damaged==1.0", "shared==1.0"], tmp_path) == []


def test_an_organisations_certificate_beside_the_others_is_no_damage(tmp_path):
    site = tmp_path / "site"
    wheel = make_wheel(tmp_path, "certificates")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, site], check=True)
    with (site / "certificates-1.0.dist-info" / "RECORD").open("a") as record:
        record.write("certificates/cacert.pem,,8\n")
    bundle = site / "certificates" / "cacert.pem"
    bundle.parent.mkdir()
    bundle.write_text("public\n\nthe company's own\n")
    assert faults(site, ["certificates==1.0"], tmp_path) == []
    bundle.write_text("public")
    assert faults(site, ["certificates==1.0"], tmp_path) == [
        f"{bundle} has another size than it was installed with",
    ]


def test_settings_that_a_package_keeps_in_its_own_folder_may_change(tmp_path):
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", make_wheel(tmp_path, "telemetry"), site], check=True)
    with (site / "telemetry-1.0.dist-info" / "RECORD").open("a") as record:
        record.write("azureml/telemetry/telemetry.json,,286\n")
    settings = site / "azureml" / "telemetry" / "telemetry.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"send_diagnostics": false}')
    assert faults(site, ["telemetry==1.0"], tmp_path) == []


def faults(site, locked, folder):
    (folder / "requirements.txt").write_text("\n".join(locked))
    program = f"""
import pathlib, sys
sys.path[:0] = [{str(site)!r}, {str(set_up.ROOT / "scripts")!r}]
import check_packages, set_up
set_up.LOCK = pathlib.Path({str(folder / "requirements.txt")!r})
check_packages.main()
"""
    return subprocess.check_output([sys.executable, "-c", program], text=True).splitlines()
