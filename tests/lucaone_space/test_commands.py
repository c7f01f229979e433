# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone demo` and `lucaone hub space` as a user meets them."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading

import pytest

import lucaone_cli
import lucaone_nano
from tests.lucaone_space.visitors import MASKED, ask


def test_hub_space(tmp_path, capsys):
    dest = tmp_path / "page"
    assert lucaone_cli.main(["hub", "space", str(lucaone_nano.PATH), str(dest)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "models: model/lucaone_nano"
    assert (
        "build_app(HERE / 'model/lucaone_nano', None, title='LucaOne')"
        in (dest / "app.py").read_text()
    )
    assert lucaone_cli.main(["hub", "space", str(lucaone_nano.PATH), str(dest)]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_demo_says_what_is_wrong(capsys):
    assert lucaone_cli.main(["demo", "--model", "nowhere"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("lucaone: error: nowhere: there is no")


def test_demo_on_a_port_that_is_taken(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert lucaone_cli.main(["demo", "--port", port]) == 1
    assert capsys.readouterr().err == (
        f"lucaone: error: --host 127.0.0.1, --port {port}: taken, or not of this machine\n"
    )


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_demo_on_no_port(capsys, port):
    with contextlib.suppress(SystemExit):  # of the parser itself
        assert lucaone_cli.main(["demo", "--port", port]) == 2
    assert port in capsys.readouterr().err


def test_hub_space_with_an_empty_title(tmp_path, capsys):
    assert lucaone_cli.main(["hub", "space", "a/b", str(tmp_path / "page"), "--title", ""]) == 2
    assert "--title '': a title is one line" in capsys.readouterr().err


def test_hub_space_of_a_name_says_that_it_is_not_looked_up(tmp_path, capsys):
    assert lucaone_cli.main(["hub", "space", "someone/lucaone", str(tmp_path / "page")]) == 0
    captured = capsys.readouterr()
    assert "someone/lucaone was not looked up" in captured.err
    assert "HF_TOKEN" in captured.err


@pytest.mark.slow
def test_demo_serves_until_it_is_interrupted():
    process = subprocess.Popen(
        [sys.executable, "-m", "lucaone_cli", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it runs in the background ignore Ctrl-C, these tests among it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    watchdog = threading.Timer(300, process.kill)
    watchdog.start()
    try:
        url, what = process.stdout.readline().split(maxsplit=1)
        assert url.startswith("http://127.0.0.1:") and what == "(Ctrl-C ends it)\n"
        assert "actual letter" in ask(url, MASKED, ["MKTAYIAK", "prot", 3])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    finally:
        watchdog.cancel()
        process.kill()
    assert (process.returncode, out.strip(), err) == (0, "", "")
