"""Certificates for tests: for this machine, of its own making."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_pems(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost and 127.0.0.1, good for two days, and its key. Needs `openssl`."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    made = ("openssl", "req", "-x509", *curve, "-subj", "/CN=localhost", "-addext", names)
    subprocess.run([*made, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key
