"""TLS for what clients connect to: the certificate and key of the settings, once at start."""

from __future__ import annotations

import ssl

from svc.kit.config import ConfigError, InstanceConfig

__all__ = ["server_context"]


def server_context(instance: InstanceConfig) -> ssl.SSLContext | None:
    """Return what a server speaks TLS by; None when no certificate is configured, and it is to speak plainly.

    Raises ConfigError for half a configuration and for files that cannot be used.
    """
    if not instance.tls_cert and not instance.tls_key:
        return None
    if not (instance.tls_cert and instance.tls_key):
        raise ConfigError(["PARLEY_TLS_CERT and PARLEY_TLS_KEY: one is set, and the other is not"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # WebSockets are HTTP/1.1, and so is all that we serve.
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(instance.tls_cert, instance.tls_key)
    except OSError as error:  # ssl.SSLError is one
        problem = f"PARLEY_TLS_CERT {instance.tls_cert}, PARLEY_TLS_KEY {instance.tls_key}: {error}"
        raise ConfigError([problem]) from error
    return context
