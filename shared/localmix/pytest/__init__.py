"""For other people's tests: a real tiny model on loopback, and recordings of model servers.

The fixtures stand in `pytest_localmix`, which pytest loads by itself; they import this room when a
test asks for them.
"""
