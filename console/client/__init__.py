"""Attaches to an engine over its socket, and starts one when none runs."""

from console.client.attach import attach
from console.client.socket_client import SocketClient
from console.client.starter import Starter

__all__ = ["SocketClient", "Starter", "attach"]
