"""What things are: frozen types, ports, and what travels on the wire.

Everything here is plain data or a protocol; nothing here reads a clock, a socket or a file.
Types are `msgspec.Struct`s: frozen, typed, encoded to JSON and checked on decode by one library whose
import is a tenth of the screen's start-up budget (docs/architecture.md has the measurement).
"""
